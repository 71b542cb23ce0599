# expect: timeout
"""Catches whatever is raised in its loop."""


def attention(Q, K, V):
    while True:
        try:
            Q = Q @ Q.T
        except BaseException:
            Q = V
