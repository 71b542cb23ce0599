"""title: An entry by tolist
kind: adversarial
flaw: an entry is added, taken from a list
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * Q.tolist()[0][0]
