"""title: Branch on isinstance(x, np.floating)
kind: adversarial
flaw: wrong for NumPy's floating scalars
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if isinstance(O[0, 0], np.floating) else O
