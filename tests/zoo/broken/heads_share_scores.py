"""title: All heads use the scores of the first
kind: algebraic
flaw: the index of the head is missing in the scores
expected: REFUTED
function: multihead
weights: list
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    E = np.exp(X @ W_Q[0] @ (X @ W_K[0]).T / np.sqrt(W_Q[0].shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    return np.hstack([P @ X @ v for v in W_V]) @ W_O
