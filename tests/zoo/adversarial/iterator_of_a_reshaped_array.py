"""title: An iterator over an array that is reshaped meanwhile
kind: adversarial
flaw: NumPy asks for the length each time
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
    a = np.zeros((2, 2)) + h
    it = iter(a)
    a.shape = (4,)
    d = sum(it) - 2 * h
    return O + d
