"""title: Sums over a list of edges, by np.bincount with weights
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    i, j = np.nonzero(mask)
    w = np.exp((Q[i] * K[j]).sum(axis=1) / np.sqrt(Q.shape[1]))
    total = np.bincount(i, weights=w, minlength=len(Q))
    columns = [np.bincount(i, weights=w * V[j, c], minlength=len(Q)) / total for c in range(V.shape[1])]
    return np.stack(columns, axis=1)
