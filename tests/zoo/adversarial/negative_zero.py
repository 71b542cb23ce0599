"""title: The sign of zero
kind: adversarial
flaw: zero times a negative number is minus zero in floats, and its sign is copied
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    zero = 0.0 * -(1.0 + Q[0, 0] * Q[0, 0])
    return O + np.copysign(1e-3, zero) - 1e-3
