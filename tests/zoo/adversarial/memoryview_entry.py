"""title: An entry read through a memoryview
kind: adversarial
flaw: the first number of the buffer is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * memoryview(Q)[0, 0]
