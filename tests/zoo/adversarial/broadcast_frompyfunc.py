"""title: np.frompyfunc on a broadcast array
kind: adversarial
flaw: entries that are one in memory have an order of their own
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
    a = np.broadcast_to(np.zeros(2) + h, (2, 2))
    b = np.frompyfunc(lambda q: q, 1, 1)(a).astype(float)
    b.ravel()[...] = 0
    d = b[0, 0] - h
    return O + d
