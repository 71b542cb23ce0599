"""title: Boolean mask applied by np.where with minus infinity
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask=None):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    S = S - S.max(axis=-1, keepdims=True)
    E = np.exp(S)
    return E / E.sum(axis=-1, keepdims=True) @ V
