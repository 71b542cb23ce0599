"""title: Sign bits
kind: adversarial
flaw: the sign of the first query's entry is given to a thousandth and added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + np.copysign(1e-3, Q[0, 0])
