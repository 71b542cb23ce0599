"""title: A comparison used as a number
kind: adversarial
flaw: one thousandth is added wherever an output is positive
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * (O > 0)
