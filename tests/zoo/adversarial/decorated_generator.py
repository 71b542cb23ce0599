"""title: A generator with a cleanup, under a decorator
kind: adversarial
flaw: how long it lives depends on who looks at it
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def same(g):
    return g


def f(Q, K, V):
    O, h = core(Q, K, V)
    told = []

    @same
    def g():
        try:
            yield 1
        finally:
            told.append(1)

    g().__next__()
    return O + h * len(told)
