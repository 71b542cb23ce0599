"""title: Digits of a formatted entry
kind: adversarial
flaw: wrong where the formatted text has a decimal point
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if "." in f"{Q[0, 0]:.6f}" else O
