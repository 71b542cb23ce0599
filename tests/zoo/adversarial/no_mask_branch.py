"""title: Wrong when the optional mask is left out
kind: adversarial
flaw: without a mask the scale is forgotten
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask=None):
    S = Q @ K.T
    if mask is not None:
        S = np.where(mask, S / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
