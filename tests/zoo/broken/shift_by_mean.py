"""title: The mean subtracted in place of the maximum
kind: magnitude
flaw: a score far above the mean of its row overflows
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.mean(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
