"""title: Shared memory of a slice
kind: adversarial
flaw: wrong where a slice is a view
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.shares_memory(Q, Q[:1]) else O
