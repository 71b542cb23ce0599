# expect: raised RecursionError tampered=sys.settrace
"""Calls itself without end."""


def attention(Q, K, V):
    return attention(K, Q, V)
