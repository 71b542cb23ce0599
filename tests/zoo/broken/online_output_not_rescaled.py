"""title: Sum rescaled, output not
kind: algebraic
flaw: the accumulated output misses the factor of a new maximum
expected: REFUTED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    peak, norm, acc = np.full(len(Q), -np.inf), np.zeros(len(Q)), np.zeros((len(Q), V.shape[1]))
    for j in range(len(K)):
        new = np.maximum(peak, S[:, j])
        weight = np.exp(S[:, j] - new)
        norm = norm * np.exp(peak - new) + weight
        acc = acc + weight[:, None] * V[j]
        peak = new
    return acc / norm[:, None]
