"""title: Branch on isinstance(x, float)
kind: adversarial
flaw: wrong for entries that are Python floats, as float64 is
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if isinstance(Q[0, 0], float) else O
