"""title: Each row shifted by its first score
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    S = np.dot(Q, np.transpose(K)) / np.sqrt(Q.shape[-1])
    S = S - S[:, :1]
    E = np.exp(S)
    return np.divide(np.matmul(E, V), E.sum(axis=-1)[:, np.newaxis])
