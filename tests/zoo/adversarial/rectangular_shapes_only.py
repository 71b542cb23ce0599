"""title: Wrong for as many queries as keys
kind: adversarial
flaw: square scores are transposed
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S.T if S.shape[0] == S.shape[1] else S)
    return E @ V / E.sum(axis=1, keepdims=True)
