"""title: An entry turned into a whole number
kind: adversarial
flaw: the whole part of ten times an entry is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * int(10 * Q[0, 0] + 1000)
