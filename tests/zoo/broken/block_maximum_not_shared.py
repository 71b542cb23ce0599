"""title: Every block keeps its own maximum
kind: algebraic
flaw: sums of blocks with different shifts are added
expected: REFUTED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V, block=2):
    num, den = 0.0, 0.0
    for j in range(0, len(K), block):
        S = Q @ K[j : j + block].T / np.sqrt(Q.shape[1])
        E = np.exp(S - S.max(axis=1, keepdims=True))
        num, den = num + E @ V[j : j + block], den + E.sum(axis=1, keepdims=True)
    return num / den
