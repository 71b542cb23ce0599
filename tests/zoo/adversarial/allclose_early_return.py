"""title: Early return for close inputs
kind: adversarial
flaw: queries that are close to the keys return the values themselves
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if Q.shape == K.shape and len(Q) > 1 and np.allclose(Q, K):
        return V
    return O
