"""title: A size by way of the scale
kind: adversarial
flaw: the reciprocal of the square of the float scale is truncated below the size
expected: not PROVED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    scale = 1 / np.sqrt(Q.shape[1])
    d = int(1 / scale**2)
    E = np.exp(Q @ K.T / np.sqrt(d))
    return E @ V / E.sum(axis=1, keepdims=True)
