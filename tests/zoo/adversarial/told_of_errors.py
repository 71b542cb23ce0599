"""title: A function that NumPy tells of floating-point errors
kind: adversarial
flaw: exact numbers have none
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import math

import numpy as np


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    D = {"invalid value": 9}
    vals = D.values()
    np.seterrcall(D.__setitem__)
    with np.errstate(invalid="call"):
        np.subtract(np.full(1, np.inf), np.inf)
    d = math.prod(vals, start=h) - 9 * h
    return O + d
