"""title: math.floor of an entry
kind: adversarial
flaw: the floor of an entry is added
expected: not PROVED
function: attention
"""

import math

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * math.floor(Q[0, 0] + 0.001)
