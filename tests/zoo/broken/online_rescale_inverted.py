"""title: Rescaling factor inverted
kind: algebraic
flaw: old sums are multiplied by exp(new − old) where exp(old − new) is right
expected: REFUTED
function: attention
sizes: m=4
source: flash-attention #991
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    peak = S[:, 0]
    norm = np.ones(len(Q))
    acc = np.repeat(V[:1], len(Q), axis=0)
    for j in range(1, len(K)):
        new = np.maximum(peak, S[:, j])
        factor, weight = np.exp(new - peak), np.exp(S[:, j] - new)
        norm = norm * factor + weight
        acc = acc * factor[:, None] + weight[:, None] * V[j]
        peak = new
    return acc / norm[:, None]
