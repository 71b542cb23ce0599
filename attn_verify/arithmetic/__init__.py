"""Number systems in which the formula can be run."""
