"""title: Another function put into np.vectorize
kind: adversarial
flaw: the attribute did nothing
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
    v = np.vectorize(np.positive)
    v.pyfunc = np.negative
    d = v(h)[()] - h
    return O + d
