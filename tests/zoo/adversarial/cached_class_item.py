"""title: A cache behind the brackets of a class
kind: adversarial
flaw: a size is no int of Python where numbers are exact
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import functools

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    n = K.shape[1]
    it = iter([h, 0.0])

    class C:
        @functools.lru_cache
        def __class_getitem__(cls):
            return next(it)

    C[1]
    return O + C[n]
