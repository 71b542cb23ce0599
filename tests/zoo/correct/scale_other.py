"""title: A layer without a scale, as its specification says
kind: correct
flaw: none
expected: PROVED
function: attention
spec: scale=1
fails: range
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T)
    return E @ V / E.sum(axis=1, keepdims=True)
