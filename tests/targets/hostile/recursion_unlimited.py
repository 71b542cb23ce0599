# expect: memory|crashed|timeout
"""Calls itself without end, and without a limit."""

import sys


def attention(Q, K, V):
    sys.setrecursionlimit(10**9)
    return attention(K, Q, V)
