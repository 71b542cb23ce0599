# expect: error
"""Its import raises ValueError."""

raise ValueError("no such device")
