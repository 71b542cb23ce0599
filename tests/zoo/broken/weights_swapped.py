"""title: Query weights used for keys and the other way round
kind: algebraic
flaw: W_Q projects the keys and W_K the queries
expected: REFUTED
function: self_attention
"""

import numpy as np


def self_attention(X, W_Q, W_K, W_V):
    E = np.exp((X @ W_K) @ (X @ W_Q).T / np.sqrt(W_K.shape[1]))
    return E @ (X @ W_V) / E.sum(axis=1, keepdims=True)
