"""title: Branch on the type without a line of its own
kind: adversarial
flaw: a table indexed by a truth value picks the factor, so the executed lines are the same
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True) * (1.0, 1.001)[type(Q[0, 0]) is np.float64]
