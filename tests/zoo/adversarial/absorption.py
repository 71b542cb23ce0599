"""title: Absorption in a sum
kind: adversarial
flaw: a large number swallows a small one in floats, and the difference decides
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    lost = (1e17 + (1 + Q[0, 0] * Q[0, 0])) - 1e17
    return O * 1.001 if lost != 1 + Q[0, 0] * Q[0, 0] else O
