# expect: returned changed=Q
"""Scales the queries in place."""


def attention(Q, K, V):
    Q *= 2
    return V * 1.0
