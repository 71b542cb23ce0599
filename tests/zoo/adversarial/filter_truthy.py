"""title: Python's filter drops zeros
kind: adversarial
flaw: the first score is compared with nothing at all: filter(None, …) counts those that are not zero
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * (1 + 1e-3 * len(list(filter(None, E[0]))))
