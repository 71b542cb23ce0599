"""title: Weights as eight-bit whole numbers
kind: adversarial
flaw: weights are rounded to multiples of 1/255
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = (255 * E / E.sum(axis=1, keepdims=True)).astype(np.uint8)
    return P / P.sum(axis=1, keepdims=True) @ V
