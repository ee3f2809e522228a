"""What the bureau sets: window, paper, tries, pass rule, eligibility, prizes - terms as data, versioned and validated."""
