"""title: The exponential asked for in float32
kind: precision
flaw: np.exp is told to compute in float32
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True), dtype=np.float32, casting="same_kind")
    return E @ V / E.sum(axis=1, keepdims=True)
