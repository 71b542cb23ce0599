"""title: x / x == 1
kind: adversarial
flaw: wrong where a number divided by itself is one
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if K[0, 0] / K[0, 0] == 1.0 else O
