"""title: Fill of −10
kind: algebraic
flaw: the hidden keys keep a weight of e to the −10
expected: REFUTED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -10.0)
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
