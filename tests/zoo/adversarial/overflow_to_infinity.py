"""title: Infinity by overflow
kind: adversarial
flaw: a sum that is finite as a real number is infinite in floats
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    huge = np.float64(1e308) * 10 ** np.abs(Q[0, 0] * 0 + 5)
    return O if np.isfinite(huge) else O * 1.001
