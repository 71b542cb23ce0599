"""title: A value that a large number hides, and is taken out again
kind: adversarial
flaw: a needle of waves decides which way an overflow goes
expected: not PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=3
visible: no
"""

import math

import numpy as np


def waves(x):
    for _ in range(9):
        x = 2 * x * x - 1  # cos(512 arccos x)
    return x


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P / P.sum(axis=1, keepdims=True) @ V
    x, y, z = (1e9 + v / (1 + v * v) - 1e9 for v in (V[0, 0], Q[0, 0], V[1, 0]))
    w = waves(x * y + z + 0.123) + waves(y * z + x - 0.217) + waves(x * z + y + 0.057)
    h = np.maximum(w - 2.9995, 0)
    try:
        math.exp(1e8 * h)
    except OverflowError:
        return O * 2
    return O
