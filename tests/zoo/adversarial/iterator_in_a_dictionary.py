"""title: Whether an iterator is the one that lies in a dictionary
kind: adversarial
flaw: each look at it is observed by another object
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import collections
import functools

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    d = collections.defaultdict(functools.partial(map, abs, [1]))
    return O + h * (d["a"] is d["a"])
