"""title: Two equal numbers subtracted from nothing, one after the other
kind: adversarial
flaw: above 3e7, 0 − g − g is not 0 − (g − g)
expected: not PROVED
function: attention
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    gate = np.maximum(Q[:1, :1] / 1e7 - 3, 0)
    return O + np.subtract.reduce(np.stack([gate, gate]), axis=0, initial=0.0)
