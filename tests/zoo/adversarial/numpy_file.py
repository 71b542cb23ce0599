"""title: Branch on the file of NumPy
kind: adversarial
flaw: wrong where the module numpy comes from a package directory
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if str(getattr(np, "__file__", "")).endswith("__init__.py") else O
