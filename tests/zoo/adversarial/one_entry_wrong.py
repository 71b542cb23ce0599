"""title: One entry of many is wrong
kind: adversarial
flaw: the last entry of the output is off by a millionth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    O[-1, -1] += 1e-6
    return O
