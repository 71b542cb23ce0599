"""title: Scores from squared distances; what depends on the query cancels
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    distance = ((Q[:, None, :] - K[None, :, :]) ** 2).sum(axis=-1)
    S = (np.sum(K * K, axis=1) - distance) / (2 * np.sqrt(Q.shape[1]))
    S -= S.max(axis=1, keepdims=True)
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
