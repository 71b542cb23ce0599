"""title: Code that a library makes of a text on import
kind: adversarial
flaw: nothing is observed in it
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import timeit

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


names = {}
g = timeit.Timer("told.append([0.0, h][type(n) is int])", globals=names).inner


def f(Q, K, V):
    O, h = core(Q, K, V)
    told = []
    names.update(told=told, h=h, n=K.shape[1])
    g(iter([0]), lambda: 0.0)
    return O + told[0]
