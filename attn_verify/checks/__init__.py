"""Claims and verdicts: rounding bounds, cross-checks, gradient identities."""
