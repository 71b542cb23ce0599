"""title: Additive bias of minus one
kind: algebraic
flaw: (mask − 1) is added to the scores, so a hidden key loses a factor of e only
expected: REFUTED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1]) + (mask.astype(float) - 1.0)
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
