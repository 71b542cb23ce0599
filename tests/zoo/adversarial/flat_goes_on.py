"""title: An iterator over the entries that is used twice
kind: adversarial
flaw: it goes on where it was
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
    a = np.zeros(3) + h
    z = 0 * h
    it = a.flat
    s = sum(it, z)
    t = sum(it, z)
    d = t - s
    return O + d
