"""title: Whole numbers by a method of floats
kind: adversarial
flaw: wrong where an entry is no whole number
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not float(Q[0, 0]).is_integer() else O
