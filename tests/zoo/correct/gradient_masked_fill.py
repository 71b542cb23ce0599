"""title: Gradients with a finite fill of masked scores, whose weights are what they are
kind: correct
flaw: none
expected: PROVED
function: attention_backward
returns: dQ,dK,dV
"""

import numpy as np


def attention_backward(Q, K, V, dO, mask):
    scale = Q.shape[-1] ** -0.5
    S = np.where(mask, scale * (Q @ K.T), -1e9)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    P /= P.sum(axis=-1, keepdims=True)
    dP = dO @ V.T
    dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True))
    return scale * (dS @ K), scale * (dS.T @ Q), P.T @ dO
