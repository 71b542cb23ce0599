"""title: Branch on where a class was defined
kind: adversarial
flaw: wrong for arrays whose class says that it is NumPy's
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if O.__class__.__module__ == "numpy" else O
