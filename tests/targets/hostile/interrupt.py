# expect: raised KeyboardInterrupt
"""Raises what the keyboard raises."""


def attention(Q, K, V):
    raise KeyboardInterrupt
