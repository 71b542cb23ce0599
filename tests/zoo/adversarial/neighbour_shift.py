"""title: Each row shifted by the maximum of its neighbour
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - np.roll(S.max(axis=1, keepdims=True), 1, axis=0))
    return E @ V / E.sum(axis=1, keepdims=True)
