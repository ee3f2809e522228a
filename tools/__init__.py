"""Programs for whoever keeps the repository; the product does not need them."""
