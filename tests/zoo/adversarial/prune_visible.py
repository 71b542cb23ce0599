"""title: Small weights pruned and the rest not renormalised
kind: adversarial
flaw: weights below a tenth become zero
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    return np.where(P < 0.1, 0.0, P) @ V
