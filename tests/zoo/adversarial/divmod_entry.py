"""title: divmod of an entry
kind: adversarial
flaw: the whole quotient of an entry is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    whole, _ = divmod(10 * Q[0, 0], 1.0)
    return O + 1e-3 * whole
