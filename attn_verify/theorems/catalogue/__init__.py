"""The theorems, one file a family."""
