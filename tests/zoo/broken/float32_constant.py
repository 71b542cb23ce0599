"""title: Scale held in float32
kind: precision
flaw: the scale has eight digits in float64 code
expected: PROVED
function: attention
"""

import numpy as np

SCALES = {d: np.float32(1.0) / np.sqrt(np.float32(d)) for d in range(1, 65)}


def attention(Q, K, V):
    E = np.exp(Q @ K.T * SCALES[Q.shape[1]])
    return E @ V / E.sum(axis=1, keepdims=True)
