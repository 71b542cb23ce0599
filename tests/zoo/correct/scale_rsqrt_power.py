"""title: The scale as np.power of a float size
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    factor = np.power(float(Q.shape[1]), -0.5)
    S = factor * (Q @ K.T)
    return np.exp(S) @ V / np.exp(S).sum(axis=1, keepdims=True)
