"""title: np.select and fancy indexing in place of where
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
fails: range
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.zeros(S.shape)
    rows, columns = np.nonzero(mask)
    E[rows, columns] = np.exp(S[rows, columns])
    return E @ V / np.sum(E, axis=1).reshape(-1, 1)
