"""title: Sums over a list of edges that are told apart by their key
kind: algebraic
flaw: the weights are divided by the sum over the queries of a key, not over the keys of a query
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    i, j = np.indices((len(Q), len(K))).reshape(2, -1)
    w = np.exp((Q[i] * K[j]).sum(axis=1) / np.sqrt(Q.shape[1]))
    w = w / np.bincount(j, weights=w)[j]
    return np.stack([np.bincount(i, weights=w * V[j, c]) for c in range(V.shape[1])], axis=1)
