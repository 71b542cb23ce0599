"""title: Results of np.vectorize with a signature
kind: adversarial
flaw: they lie in memory as the first one
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
    g = np.vectorize(lambda x: x.T, signature="(i,j)->(j,i)")
    a = g(np.zeros((2, 2)))
    a.ravel()[...] = h
    d = h - a[0, 0]
    return O + d
