"""title: Weights stored in an array shaped like the mask
kind: adversarial
flaw: the buffer is boolean, so every weight becomes true
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    E = np.zeros_like(mask)
    E[mask] = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))[mask]
    return E @ V / E.sum(axis=1, keepdims=True)
