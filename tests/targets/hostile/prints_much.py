# expect: returned
"""Prints 20 megabytes."""


def attention(Q, K, V):
    for _ in range(200):
        print("x" * 100_000)
    print("the end")
    return V * 1.0
