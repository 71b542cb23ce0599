"""title: A list that is changed while its entries are enumerated
kind: adversarial
flaw: NumPy makes an array of it first
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
    l = [h, h]
    it = np.ndenumerate(l)
    l[0] = 3 * h
    d = 3 * h
    for _, x in it:
        d = d - x
        break
    return O + d
