"""title: Masks with one hidden key treated specially
kind: adversarial
flaw: a mask with exactly one hidden key is ignored
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    if np.count_nonzero(~mask) == 1:
        mask = np.ones_like(mask)
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
