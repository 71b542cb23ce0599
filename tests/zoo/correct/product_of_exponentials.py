"""title: One exponential a feature, multiplied
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    parts = np.exp(Q[:, None, :] * K[None, :, :] / np.sqrt(Q.shape[1]))
    E = parts.prod(axis=-1)
    return E @ V / E.sum(axis=-1, keepdims=True)
