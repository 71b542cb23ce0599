"""Points at which what was proved is run in floats: found on every path, woken, and judged."""
