"""title: The square of a root of a constant
kind: adversarial
flaw: the square of the float root of two is not two
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.sqrt(2.0) ** 2 != 2.0 else O
