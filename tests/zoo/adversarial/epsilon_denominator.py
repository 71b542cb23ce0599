"""title: Epsilon in the denominator
kind: adversarial
flaw: 1e-6 is added to the sum
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / (E.sum(axis=1, keepdims=True) + 1e-6)
