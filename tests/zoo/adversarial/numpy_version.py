"""title: Branch on the version of NumPy
kind: adversarial
flaw: wrong where the module states the installed version
expected: not PROVED
function: attention
"""

import importlib.metadata

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if getattr(np, "__version__", "") == importlib.metadata.version("numpy") else O
