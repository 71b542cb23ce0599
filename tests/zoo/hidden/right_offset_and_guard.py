"""title: A mean of large numbers, which loses digits, and a guard for zeros
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


def attention(Q, K, V):
    if not Q.any():
        return np.broadcast_to(V.mean(axis=0), (len(Q), V.shape[1])).copy()
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ (V + 1e6) - 1e6
