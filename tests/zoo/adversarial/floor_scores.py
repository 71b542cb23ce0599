"""title: Scores at least −30
kind: adversarial
flaw: scores below −30 are raised
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(np.maximum(Q @ K.T / np.sqrt(Q.shape[1]), -30.0))
    return E @ V / E.sum(axis=1, keepdims=True)
