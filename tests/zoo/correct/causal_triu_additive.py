"""title: Causal by an additive np.triu, upper left
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=upper_left
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    future = np.triu(np.ones(S.shape), k=1).astype(bool)
    S = S + np.where(future, -np.inf, 0.0)
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
