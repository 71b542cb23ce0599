"""title: Masked multi-head self-attention, lists of matrices, tensordot
kind: correct
flaw: none
expected: PROVED
function: multihead
weights: list
spec: mask=boolean
"""

import numpy as np


def softmax(x):
    z = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return z / z.sum(axis=-1, keepdims=True)


def multihead(X, W_Q, W_K, W_V, W_O, mask=None):
    Z = []
    for W_q, W_k, W_v in zip(W_Q, W_K, W_V, strict=True):
        q, k, v = (np.tensordot(X, W, axes=1) for W in (W_q, W_k, W_v))
        scores = q @ k.T / np.sqrt(k.shape[-1])
        if mask is not None:
            scores = np.where(mask, scores, -np.inf)
        Z.append(softmax(scores) @ v)
    return np.column_stack(Z) @ W_O
