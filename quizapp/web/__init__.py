"""Page furniture: layouts, components, doors, errors, limits, security headers. It knows no feature."""
