"""title: Wrong for d_k = 3 only
kind: adversarial
flaw: the width three gets the scale of two
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    d_k = Q.shape[1] - (Q.shape[1] == 3)
    E = np.exp(Q @ K.T / np.sqrt(d_k))
    return E @ V / E.sum(axis=1, keepdims=True)
