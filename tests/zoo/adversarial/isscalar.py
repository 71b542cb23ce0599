"""title: Branch on np.isscalar
kind: adversarial
flaw: wrong for what NumPy calls a scalar
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.isscalar(Q[0, 0]) else O
