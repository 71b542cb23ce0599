"""title: Keys in blocks, two passes: the maximum first, the sums second
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np

BLOCK = 2


def attention(Q, K, V):
    n, m = len(Q), len(K)
    scale = 1 / np.sqrt(Q.shape[1])
    top = np.full((n, 1), -np.inf)
    for j in range(0, m, BLOCK):
        top = np.maximum(top, (Q @ K[j : j + BLOCK].T * scale).max(axis=1, keepdims=True))
    total = np.zeros((n, 1))
    acc = np.zeros((n, V.shape[1]))
    for j in range(0, m, BLOCK):
        E = np.exp(Q @ K[j : j + BLOCK].T * scale - top)
        total += E.sum(axis=1, keepdims=True)
        acc += E @ V[j : j + BLOCK]
    return acc / total
