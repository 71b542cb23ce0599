"""title: Upper triangle in place of the lower
kind: algebraic
flaw: each query sees itself and the future
expected: REFUTED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S[np.tril_indices(len(Q), -1)] = -np.inf
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
