"""title: Queries from one sequence, keys and values from another
kind: correct
flaw: none
expected: PROVED
function: cross_attention
sizes: n=2 m=3
"""

import numpy as np


def cross_attention(X, X_KV, W_Q, W_K, W_V):
    Q, K, V = X @ W_Q, X_KV @ W_K, X_KV @ W_V
    S = Q @ K.T / np.sqrt(W_K.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
