"""title: Small weights pruned
kind: adversarial
flaw: weights below 1e-7 become zero
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    P[P < 1e-7] = 0
    return P @ V
