"""title: Integer square root
kind: algebraic
flaw: the root of d_k is truncated to a whole number
expected: REFUTED
function: attention
sizes: d_k=3
"""

import math

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / math.isqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
