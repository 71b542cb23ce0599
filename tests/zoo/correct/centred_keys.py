"""title: Keys centred on their mean, a shift of every row
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    K = K - K.mean(axis=0)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
