"""title: A place in a sorted list
kind: adversarial
flaw: the place of an entry among thresholds is added
expected: not PROVED
function: attention
"""

import bisect

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * (1 + bisect.bisect([-0.5, 0.0, 0.5], Q[0, 0]))
