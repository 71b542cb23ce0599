"""title: A scale typed with five digits
kind: adversarial
flaw: 0.57735 is not the reciprocal of the square root of three
expected: not PROVED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T * 0.57735)
    return E @ V / E.sum(axis=1, keepdims=True)
