"""title: 0.7071 for the root of one half
kind: adversarial
flaw: 0.7071 is not the reciprocal of the square root of two
expected: not PROVED
function: attention
sizes: d_k=2
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T * 0.7071)
    return E @ V / E.sum(axis=1, keepdims=True)
