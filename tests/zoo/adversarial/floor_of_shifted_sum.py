"""title: A floor of 1e-12 under a sum that is at least one
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / np.maximum(E.sum(axis=1, keepdims=True), 1e-12)
