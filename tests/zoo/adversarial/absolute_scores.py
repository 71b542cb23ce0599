"""title: Absolute values by a root
kind: adversarial
flaw: the square root of a square loses the sign of the scores
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = np.sqrt((Q @ K.T) ** 2 / Q.shape[1])
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
