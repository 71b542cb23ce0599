"""title: Two axes only, with a mask, at sizes that are alike
kind: adversarial-correct
flaw: none; in a batch it sums over queries, and does not claim to do otherwise
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
