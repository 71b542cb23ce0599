"""title: The same rotation of queries and keys, split in halves, cancels in every score
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: d_k=4
source: gpt-neox #834
fails: range
"""

import numpy as np


def rotate(A, angle):
    half = A.shape[1] // 2
    a, b = A[:, :half], A[:, half:]
    c, s = np.cos(angle), np.sin(angle)
    return np.concatenate([a * c - b * s, a * s + b * c], axis=1)


def attention(Q, K, V, angle=0.5):
    Q, K = rotate(Q, angle), rotate(K, angle)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
