"""title: Branch for an input beyond a million
kind: adversarial
flaw: entries beyond a million give zero
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.where(np.abs(Q).max() > 1e6, 0.0, O)
