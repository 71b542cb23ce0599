"""Exact arithmetic of finite sums whose length is a letter: terms and their normal form."""
