"""title: The maximum of all rows subtracted from every row
kind: magnitude
flaw: a row far below the largest underflows to 0/0
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max())
    return E @ V / E.sum(axis=1, keepdims=True)
