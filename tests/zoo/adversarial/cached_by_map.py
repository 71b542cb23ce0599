"""title: A cached function called by map with a size
kind: adversarial
flaw: its key is another class of numbers
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

from functools import lru_cache

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    it = iter([h, 0.0, 0.0])
    g = lru_cache(lambda n: next(it))
    g(1)
    return O + next(map(g, [K.shape[1]]))
