"""title: Boolean mask turned into an additive one of 0 and minus infinity
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    bias = np.zeros(mask.shape)
    bias[~mask] = float("-inf")
    S = Q @ K.T / np.sqrt(Q.shape[1]) + bias
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
