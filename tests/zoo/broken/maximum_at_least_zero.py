"""title: Maximum with initial zero
kind: magnitude
flaw: the shift is never below zero, so rows of very negative scores vanish
expected: PROVED
function: attention
source: flash-attention #2082
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True, initial=0.0))
    return E @ V / E.sum(axis=1, keepdims=True)
