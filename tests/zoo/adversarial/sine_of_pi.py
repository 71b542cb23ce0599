"""title: Sine of the float nearest to pi
kind: adversarial
flaw: that sine is about 1e-16, not zero
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.sin(np.pi) != 0 else O
