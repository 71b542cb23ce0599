"""title: Ten times one tenth
kind: adversarial
flaw: ten float tenths do not sum to one
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if sum(np.full(10, 0.1).tolist()) != 1.0 else O
