"""title: Keys along axis 0: the softmax over axis 0 of K Qᵀ
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    T = K @ Q.T / np.sqrt(Q.shape[1])
    E = np.exp(T - T.max(axis=0))
    P = E / E.sum(axis=0)
    return P.T @ V
