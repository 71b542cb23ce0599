"""title: x // 1 of the outputs
kind: adversarial
flaw: the outputs are moved by their whole parts
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * ((10 * O) // 1)
