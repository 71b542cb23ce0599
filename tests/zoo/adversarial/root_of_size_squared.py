"""title: The root of a size, squared
kind: adversarial
flaw: the square of the float root of three is less than three
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.sqrt(3.0 + 0 * Q.shape[1]) * np.sqrt(3) < 3 else O
