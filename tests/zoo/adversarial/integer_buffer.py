"""title: A buffer of whole numbers
kind: adversarial
flaw: np.full with a whole number makes an integer array, which truncates what it is given
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    R = np.full((len(Q), V.shape[1]), 0)
    R[:] = 1000 * O
    return R / 1000
