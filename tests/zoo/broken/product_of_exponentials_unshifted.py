"""title: Exponentials of queries and keys multiplied feature by feature
kind: magnitude
flaw: each factor may overflow or underflow although the score is moderate
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    parts = np.exp(Q[:, None, :] * K[None, :, :] / np.sqrt(Q.shape[1]))
    E = np.multiply.reduce(parts, axis=2)
    P = E / E.sum(axis=1, keepdims=True)
    return P @ V
