"""title: Length of a range with a float step
kind: adversarial
flaw: a range from 1 to 1.3 in tenths has four members in floats, not three
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * (1 + 1e-3 * (len(np.arange(1.0, 1.3, 0.1)) - 3))
