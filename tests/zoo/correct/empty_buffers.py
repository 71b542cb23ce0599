"""title: Buffers from np.empty and np.empty_like, filled completely
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    n, m = Q.shape[0], K.shape[0]
    S = np.empty((n, m), dtype=Q.dtype)
    np.matmul(Q, K.T, out=S)
    np.divide(S, np.sqrt(Q.shape[1]), out=S)
    P = np.empty_like(S)
    np.exp(S, out=P)
    P /= P.sum(axis=1, keepdims=True)
    O = np.empty((n, V.shape[1]))
    for c in range(V.shape[1]):
        O[:, c] = P @ V[:, c]
    return O
