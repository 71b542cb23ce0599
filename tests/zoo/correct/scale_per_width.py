"""title: Scale 1/d_k, as its specification says
kind: correct
flaw: none
expected: PROVED
function: attention
spec: scale=1/d_k
fails: range
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp((Q / Q.shape[1]) @ K.T)
    return E @ V / E.sum(axis=1, keepdims=True)
