"""title: exp of −1000
kind: adversarial
flaw: the exponential of −1000 is zero in floats
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.exp(-1000.0) == 0.0 else O
