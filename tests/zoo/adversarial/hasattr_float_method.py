"""title: Branch on a method of floats
kind: adversarial
flaw: wrong for entries with as_integer_ratio
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if hasattr(Q[0, 0], "as_integer_ratio") else O
