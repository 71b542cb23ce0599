"""title: The scale folded into the query weights
kind: correct
flaw: none
expected: PROVED
function: self_attention
fails: range
"""

import numpy as np


def self_attention(X, W_Q, W_K, W_V):
    W_Q = W_Q / np.sqrt(W_Q.shape[1])
    E = np.exp((X @ W_Q) @ (X @ W_K).T)
    return E @ (X @ W_V) / E.sum(axis=1, keepdims=True)
