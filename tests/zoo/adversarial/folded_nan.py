"""title: A constant that is not a number, found by identity
kind: adversarial
flaw: the compiler makes one object of it, code that is observed two
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


def c():
    return (1e999 - 1e999) * 1


def f(Q, K, V):
    O, h = core(Q, K, V)
    return O + h * (c() in [c()])
