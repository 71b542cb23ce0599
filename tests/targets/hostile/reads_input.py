# expect: raised EOFError
"""Asks the user."""


def attention(Q, K, V):
    return V * float(input())
