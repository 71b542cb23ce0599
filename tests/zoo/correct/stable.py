"""title: Row maximum subtracted first
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def softmax(x):
    x = x - np.max(x, axis=-1, keepdims=True)
    e = np.exp(x)
    return e / np.sum(e, axis=-1, keepdims=True)


def attention(Q, K, V):
    d_k = Q.shape[-1]
    return softmax(np.matmul(Q, K.T) / np.sqrt(d_k)) @ V
