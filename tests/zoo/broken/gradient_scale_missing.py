"""title: Gradient without the scale
kind: algebraic
flaw: dQ and dK lack the factor of the scores
expected: REFUTED
function: attention_backward
returns: dQ,dK,dV
sizes: d_k=3
"""

import numpy as np


def attention_backward(Q, K, V, dO):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    dP = dO @ V.T
    dS = P * (dP - (dP * P).sum(axis=1, keepdims=True))
    return dS @ K, dS.T @ Q, P.T @ dO
