"""title: Code of the target inside a generator that math.fsum goes through
kind: adversarial
flaw: calls in it were not compared with NumPy
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import math

import numpy as np


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    out = []

    def work():
        a = np.zeros((2, 2)) + h
        p = np.pad(a.T, 1, "edge")
        p.ravel()[...] = 0
        out.append(p[0, 0])
        yield 0.0

    math.fsum(work())
    d = h - out[0] - h
    d = out[0] * 1
    return O + d
