"""title: One key of the future
kind: algebraic
flaw: the causal mask is shifted by one, so each query sees the next key
expected: REFUTED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    n = len(Q)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1])) * np.tri(n, n, 1)
    return E @ V / E.sum(axis=1, keepdims=True)
