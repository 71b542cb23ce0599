"""title: Mask used transposed
kind: algebraic
flaw: query i is masked by column i of the mask
expected: REFUTED
function: attention
spec: mask=boolean
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask.T, Q @ K.T / np.sqrt(Q.shape[1]), -1e30)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
