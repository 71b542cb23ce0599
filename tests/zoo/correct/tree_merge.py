"""title: Partial states (maximum, sum, output) merged in a tree
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def leaf(s, v):
    return s, np.ones_like(s), np.ones_like(s)[:, None] * v


def merge(left, right):
    (m1, l1, o1), (m2, l2, o2) = left, right
    m = np.maximum(m1, m2)
    a, b = np.exp(m1 - m), np.exp(m2 - m)
    return m, l1 * a + l2 * b, o1 * a[:, None] + o2 * b[:, None]


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    states = [leaf(S[:, j], V[j]) for j in range(K.shape[0])]
    while len(states) > 1:
        merged = [merge(states[i], states[i + 1]) for i in range(0, len(states) - 1, 2)]
        states = merged + states[2 * len(merged) :]
    _, norm, out = states[0]
    return out / norm[:, None]
