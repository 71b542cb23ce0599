"""title: An array laid out like a large one
kind: adversarial
flaw: calls with large arrays were not compared with NumPy
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
    a = np.zeros((150, 150)).T
    b = np.zeros_like(a, shape=(2, 2))
    b.ravel()[...] = h
    d = b[0, 0] - h
    return O + d
