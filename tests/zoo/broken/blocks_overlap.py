"""title: Overlapping blocks
kind: algebraic
flaw: the key at a block boundary is counted twice
expected: REFUTED
function: attention
sizes: m=5
"""

import numpy as np


def attention(Q, K, V, block=2):
    num, den = np.zeros((len(Q), V.shape[1])), np.zeros((len(Q), 1))
    for j in range(0, len(K), block):
        E = np.exp(Q @ K[j : j + block + 1].T / np.sqrt(Q.shape[1]))
        num += E @ V[j : j + block + 1]
        den += E.sum(axis=1, keepdims=True)
    return num / den
