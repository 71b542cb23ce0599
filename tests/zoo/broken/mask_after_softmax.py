"""title: Mask multiplied after the softmax
kind: algebraic
flaw: the weights of a row no longer sum to one
expected: REFUTED
function: attention
spec: mask=boolean
source: timm #2236
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return (E / E.sum(axis=1, keepdims=True) * mask) @ V
