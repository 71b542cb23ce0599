"""title: Sums over a list of all edges, by np.bincount with weights
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    i, j = np.indices((len(Q), len(K))).reshape(2, -1)
    w = np.exp((Q[i] * K[j]).sum(axis=1) / np.sqrt(Q.shape[1]))
    total = np.bincount(i, weights=w)
    return np.stack([np.bincount(i, weights=w * V[j, c]) / total for c in range(V.shape[1])], axis=1)
