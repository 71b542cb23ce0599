"""title: A mask that permits everything is treated as an error
kind: adversarial
flaw: a mask without a hidden key gives the mean of the values
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    if mask.all():
        return np.repeat(V.mean(axis=0, keepdims=True), len(Q), axis=0)
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
