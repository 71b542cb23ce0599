"""title: Early return for equal inputs
kind: adversarial
flaw: equal queries and keys return the values themselves
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if len(Q) > 1 and np.array_equal(Q, K):
        return V.copy()
    return O
