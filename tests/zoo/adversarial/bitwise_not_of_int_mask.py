"""title: ~ of a mask of whole numbers
kind: adversarial
flaw: the complement of one is −2, which counts as true, so every key is hidden alike
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    hidden = ~mask.astype(int)
    S = np.where(hidden, -1e30, Q @ K.T / np.sqrt(Q.shape[1]))
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
