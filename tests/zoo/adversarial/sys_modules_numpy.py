"""title: The real NumPy from sys.modules
kind: adversarial
flaw: wrong where sys.modules holds the numpy that makes floats
expected: not PROVED
function: attention
"""

import sys

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if sys.modules["numpy"].asarray(V.tolist()).dtype.kind == "f" else O
