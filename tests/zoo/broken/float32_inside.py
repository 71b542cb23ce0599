"""title: A float32 softmax inside float64 code
kind: precision
flaw: float64 inputs lose nine digits on the way through float32
expected: PROVED
function: attention
source: transformers #48459
"""

import numpy as np


def attention(Q, K, V):
    S = (Q @ K.T / np.sqrt(Q.shape[1])).astype(np.float32)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = (E / E.sum(axis=1, keepdims=True)).astype(Q.dtype)
    return P @ V
