"""title: Scores multiplied by the mask
kind: algebraic
flaw: a hidden key has score zero, not minus infinity
expected: REFUTED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1]) * mask
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
