"""title: Contributions of (query, key) pairs scattered by np.add.at
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    i, j = (a.ravel() for a in np.indices((len(Q), len(K))))
    e = np.exp((Q[i] * K[j]).sum(axis=1) / np.sqrt(Q.shape[1]))
    num, den = np.zeros((len(Q), V.shape[1])), np.zeros(len(Q))
    np.add.at(num, i, e[:, None] * V[j])
    np.add.at(den, i, e)
    return num / den[:, None]
