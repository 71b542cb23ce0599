"""title: Weights scaled, not scores
kind: algebraic
flaw: the division by the square root of d_k happens after the softmax
expected: REFUTED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T)
    P = E / E.sum(axis=1, keepdims=True)
    return P / np.sqrt(K.shape[1]) @ V
