"""title: Rounding added as a correction
kind: adversarial
flaw: the distance to the nearest hundredth is added in full, so the output is rounded
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + (np.rint(100 * O) / 100 - O)
