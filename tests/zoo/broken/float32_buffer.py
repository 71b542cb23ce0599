"""title: Output accumulated in a float32 buffer
kind: precision
flaw: float64 results are stored in a float32 array
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = np.empty((len(Q), V.shape[1]), dtype=np.float32)
    O[:] = E @ V / E.sum(axis=1, keepdims=True)
    return O
