"""title: An entry by .item()
kind: adversarial
flaw: an entry is added, taken out of the array as a Python number
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * Q.item(0)
