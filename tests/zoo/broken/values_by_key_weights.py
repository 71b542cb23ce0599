"""title: Values projected by the weights of the keys
kind: algebraic
flaw: V is X_KV W_K in place of X_KV W_V
expected: REFUTED
function: cross_attention
sizes: n=2 m=3 d_k=2 d_v=2
"""

import numpy as np


def cross_attention(X, X_KV, W_Q, W_K, W_V):
    Q, K, V = X @ W_Q, X_KV @ W_K, X_KV @ W_K
    E = np.exp(Q @ K.T / np.sqrt(W_K.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
