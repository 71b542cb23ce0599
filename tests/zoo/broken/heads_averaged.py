"""title: Head outputs averaged before the projection
kind: algebraic
flaw: every head enters the projection as the mean of all heads
expected: REFUTED
function: multihead
weights: list
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    outputs = []
    for q, k, v in zip(W_Q, W_K, W_V, strict=True):
        E = np.exp(X @ q @ (X @ k).T / np.sqrt(q.shape[1]))
        outputs.append(E @ (X @ v) / E.sum(axis=1, keepdims=True))
    mean = sum(outputs) / len(outputs)
    return np.concatenate([mean] * len(outputs), axis=1) @ W_O
