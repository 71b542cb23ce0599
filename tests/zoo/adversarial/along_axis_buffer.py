"""title: One buffer returned for every vector of an axis
kind: adversarial
flaw: NumPy writes each result at once
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    buf = np.zeros(1)

    def row(v):
        buf[0] += h
        return buf

    a = np.apply_along_axis(row, 1, np.zeros((2, 3)))
    d = 2 * h - a[0, 0]
    return O + d
