# expect: timeout
"""Prints for ever."""


def attention(Q, K, V):
    while True:
        print("y" * 1000)
