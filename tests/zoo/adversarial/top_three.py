"""title: Only the three largest scores of a row
kind: adversarial
flaw: from the fourth largest on, scores are dropped
expected: not PROVED
function: attention
sizes: m=5
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    third = np.sort(S, axis=1)[:, -3][:, None]
    E = np.where(third <= S, np.exp(S), 0.0)
    return E @ V / E.sum(axis=1, keepdims=True)
