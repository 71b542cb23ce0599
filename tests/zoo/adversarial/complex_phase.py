"""title: A phase
kind: adversarial
flaw: the angle of an output, as a complex number, is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * np.angle(O + 0j)
