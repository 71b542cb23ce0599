"""title: A million added and taken away
kind: precision
flaw: an offset of 1e6 on the values costs six digits
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ (V + 1e6) / E.sum(axis=1, keepdims=True) - 1e6
