"""title: np.any of an array of numbers
kind: adversarial
flaw: wrong where any entry is not zero
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.any(K) else O
