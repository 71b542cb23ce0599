"""title: The real NumPy by __import__
kind: adversarial
flaw: wrong where a conversion by the real NumPy gives floats
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if __import__("numpy").array(Q).dtype != object else O
