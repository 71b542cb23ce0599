"""title: Heads concatenated in reverse
kind: algebraic
flaw: the last head comes first in the concatenation
expected: REFUTED
function: multihead
weights: list
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    outputs = []
    for q, k, v in zip(W_Q, W_K, W_V, strict=True):
        E = np.exp(X @ q @ (X @ k).T / np.sqrt(q.shape[1]))
        outputs.insert(0, E @ (X @ v) / E.sum(axis=1, keepdims=True))
    return np.hstack(outputs) @ W_O
