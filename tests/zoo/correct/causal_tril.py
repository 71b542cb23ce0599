"""title: Causal by np.tril, as many queries as keys
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(np.tril(np.ones_like(S)) == 1, S, -np.inf)
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
