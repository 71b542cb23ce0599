"""title: x != x as a test for NaN
kind: adversarial
flaw: wrong where no entry is NaN
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not (O != O).any() else O
