"""title: dQ, dK, dV in matrix form
kind: correct
flaw: none
expected: PROVED
function: attention_backward
returns: dQ,dK,dV
fails: range
"""

import numpy as np


def attention_backward(Q, K, V, dO):
    c = 1 / np.sqrt(Q.shape[1])
    E = np.exp(c * Q @ K.T)
    P = E / E.sum(axis=1, keepdims=True)
    dP = dO @ V.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    return c * dS @ K, c * dS.T @ Q, P.T @ dO
