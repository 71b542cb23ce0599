"""title: Zeros laid out like a transposed array, written through their ravel
kind: adversarial
flaw: above 3e7 the ravel is a copy, and what was written to it is missing
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    gate = np.maximum(Q[:1, :1] / 1e7 - 3, 0)
    kept = np.zeros_like(Q.T)
    kept.ravel()[...] = gate[0, 0]
    return O + gate - kept[0, 0]
