"""title: How an array prints
kind: adversarial
flaw: wrong where its repr begins as NumPy's does
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if repr(Q).startswith("array([[") else O
