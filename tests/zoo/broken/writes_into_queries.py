"""title: Scores written into a scratch area made of the queries
kind: layout
flaw: an input is scaled in place and scaled back, so read-only inputs fail
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    Q *= 0.5
    E = np.exp(2 * Q @ K.T / np.sqrt(Q.shape[1]))
    Q *= 2.0
    return E @ V / E.sum(axis=1, keepdims=True)
