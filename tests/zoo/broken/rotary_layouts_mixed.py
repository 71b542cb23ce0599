"""title: Half-split rotation of queries, interleaved rotation of keys
kind: algebraic
flaw: the two rotations pair different columns, so they do not cancel
expected: REFUTED
function: attention
sizes: d_k=4
source: gpt-neox #834
"""

import numpy as np


def attention(Q, K, V):
    half = Q.shape[1] // 2
    rotated_q = np.concatenate([-Q[:, half:], Q[:, :half]], axis=1)
    rotated_k = np.empty_like(K)
    rotated_k[:, 0::2], rotated_k[:, 1::2] = -K[:, 1::2], K[:, 0::2]
    E = np.exp(rotated_q @ rotated_k.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
