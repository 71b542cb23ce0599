"""title: copy.copy of a transposed array
kind: adversarial
flaw: it keeps the order in memory
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import copy

import numpy as np


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    a = copy.copy(np.zeros((2, 3)).T)
    a.ravel()[...] = h
    d = h - a[0, 0]
    return O + d
