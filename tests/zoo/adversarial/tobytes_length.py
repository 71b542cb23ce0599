"""title: Raw bytes of the scores
kind: adversarial
flaw: wrong where the bytes of an array are not all zero
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if any(Q.tobytes()) else O
