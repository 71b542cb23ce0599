"""title: Python's round
kind: adversarial
flaw: the first output is rounded to two places
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    O[0, 0] = round(O[0, 0], 2)
    return O
