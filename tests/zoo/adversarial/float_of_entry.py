"""title: An entry turned into a Python float
kind: adversarial
flaw: the output is scaled by the size of one entry
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    t = float(Q[0, 0])
    return O * (1.0 + 1e-3 * t * t)
