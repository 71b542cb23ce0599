"""title: The fourth root of d_k on both operands
kind: correct
flaw: none
expected: PROVED
function: attention
source: pytorch #109366
"""

import numpy as np


def attention(Q, K, V):
    root = K.shape[1] ** -0.25
    S = (Q * root) @ (K * root).T
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
