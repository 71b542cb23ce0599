"""title: Zero queries short-cut
kind: adversarial
flaw: queries that are all zero give zero in place of the mean
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if not Q.any():
        return np.zeros_like(O)
    return O
