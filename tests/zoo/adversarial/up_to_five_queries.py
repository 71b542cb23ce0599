"""title: Right up to five queries
kind: adversarial
flaw: from the sixth query on, rows repeat the fifth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    Q = Q[np.minimum(np.arange(len(Q)), 4)]
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
