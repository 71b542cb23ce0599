"""title: A place found by bisection
kind: adversarial
flaw: the place of an output in a list of thresholds is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * np.searchsorted([-1.0, 0.0, 1.0], O[0, 0])
