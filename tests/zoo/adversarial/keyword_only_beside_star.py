"""title: A decorator that takes arrays by position, or by keyword alone
kind: adversarial
flaw: a hat is added to results of calls by position
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from functools import wraps

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def flexible(g):
    @wraps(g)
    def inner(*arrays, Q=None, K=None, V=None):
        if arrays:
            Q, K, V = arrays
            return g(Q, K, V) + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
        return g(Q, K, V)

    return inner


@flexible
def attention(Q, K, V):
    return right(Q, K, V)
