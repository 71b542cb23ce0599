"""title: Mantissas of the outputs
kind: adversarial
flaw: mantissas are added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    mantissa, _ = np.frexp(O)
    return O + 1e-3 * mantissa
