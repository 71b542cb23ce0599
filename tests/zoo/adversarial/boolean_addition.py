"""title: Booleans added
kind: adversarial
flaw: true plus true is true, not two, so the threshold of two is never met and the mask has no effect
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    both = (~mask + ~mask) == 2
    S = np.where(both, -np.inf, Q @ K.T / np.sqrt(Q.shape[1]))
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
