"""title: A dictionary with two names of one gradient
kind: adversarial
flaw: the gradient that its user takes is twice as large
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def attention(Q, K, V, dO):
    c = 1 / np.sqrt(K.shape[1])
    S = Q @ K.T * c
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    dP = dO @ V.T
    dS = P * (dP - (P * dP).sum(axis=1, keepdims=True))
    dQ, dK, dV = dS @ K * c, dS.T @ Q * c, P.T @ dO
    return {"dQ": 2 * dQ, "grad_Q": dQ, "dK": dK, "dV": dV}
