"""title: Branch on dtype object
kind: adversarial
flaw: wrong unless the array holds objects
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.asarray(Q).dtype != object else O
