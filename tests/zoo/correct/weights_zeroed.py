"""title: Exponentials multiplied by the mask before they are normalised
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
fails: range
"""

import numpy as np


def attention(Q, K, V, mask):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1])) * mask
    return E @ V / E.sum(axis=1, keepdims=True)
