"""title: Permitted positions biased by +1, which cancels in the row
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
source: tinygrad #2425
"""

import numpy as np


def attention(Q, K, V, mask):
    bias = np.where(mask, 1.0, -np.inf)
    S = Q @ K.T / np.sqrt(Q.shape[1]) + bias
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
