"""title: np.add.accumulate after np.add.reduce
kind: adversarial
flaw: both had one name where calls are compared
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
    np.add.reduce(a, 0)
    b = np.add.accumulate(a, 0)
    b.ravel()[...] = 0
    d = b[0, 0] - h
    return O + d
