"""title: Queries rotated as if they were the first tokens
kind: algebraic
flaw: queries are rotated by their own index and keys are not, so scores depend on position
expected: REFUTED
function: attention
sizes: n=2 d_k=2
source: mlx-vlm #1983
"""

import numpy as np


def rotate(A, offset):
    angle = (np.arange(len(A)) + offset)[:, None]
    a, b = A[:, 0::2], A[:, 1::2]
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([a * c - b * s, a * s + b * c], axis=1)


def attention(Q, K, V, cached=0):
    E = np.exp(rotate(Q, cached) @ rotate(K, 0).T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
