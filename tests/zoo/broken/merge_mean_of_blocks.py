"""title: Block outputs averaged
kind: algebraic
flaw: blocks are merged with equal weights, not with those of their sums
expected: REFUTED
function: attention
sizes: m=4
"""

import numpy as np


def part(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)


def attention(Q, K, V):
    half = len(K) // 2
    return (part(Q, K[:half], V[:half]) + part(Q, K[half:], V[half:])) / 2
