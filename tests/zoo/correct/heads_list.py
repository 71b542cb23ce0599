"""title: One weight matrix a head in Python lists, outputs concatenated
kind: correct
flaw: none
expected: PROVED
function: multihead
weights: list
fails: range
"""

import numpy as np


def head(X, W_q, W_k, W_v):
    q, k, v = X @ W_q, X @ W_k, X @ W_v
    e = np.exp(q @ k.T / np.sqrt(k.shape[1]))
    return e @ v / e.sum(axis=1, keepdims=True)


def multihead(X, W_Q, W_K, W_V, W_O):
    outputs = [head(X, q, k, v) for q, k, v in zip(W_Q, W_K, W_V, strict=True)]
    return np.concatenate(outputs, axis=-1) @ W_O
