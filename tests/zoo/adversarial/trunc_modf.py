"""title: Whole and fractional parts
kind: adversarial
flaw: fractional parts are added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    fraction, whole = np.modf(O)
    return O + 1e-3 * (fraction - np.trunc(10 * O) + whole)
