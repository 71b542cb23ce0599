"""title: An entry wrapped as np.float64
kind: adversarial
flaw: an entry is added, wrapped
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * np.float64(K[0, 0])
