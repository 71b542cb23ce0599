"""Running other people's NumPy code on exact numbers."""
