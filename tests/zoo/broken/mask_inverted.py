"""title: Mask read the other way round
kind: algebraic
flaw: True hides a key where it should permit it
expected: REFUTED
function: attention
spec: mask=boolean
source: candle #2878
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, -1e30, Q @ K.T / np.sqrt(Q.shape[1]))
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
