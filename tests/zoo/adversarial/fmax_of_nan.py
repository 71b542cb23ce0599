"""title: fmax and maximum differ on NaN
kind: adversarial
flaw: the NaN that maximum keeps and fmax drops decides
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    a, b = np.maximum(np.nan, O), np.fmax(np.nan, O)
    return np.where(np.isnan(a) & ~np.isnan(b), O * 1.001, O)
