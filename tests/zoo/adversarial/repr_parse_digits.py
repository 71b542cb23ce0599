"""title: A digit of the repr
kind: adversarial
flaw: a digit of a printed entry is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    digits = [int(c) for c in repr(float(Q[0, 0])) if c.isdigit()]
    return O + 1e-3 * (1 + digits[-1])
