"""title: Scores written into a scratch area made of the queries
kind: layout
flaw: an input is scaled in place and scaled back, so read-only inputs fail
expected: not PROVED
reason: with one array passed as Q and K, scaling the queries in place scales the keys as well
function: attention
"""

import numpy as np


def attention(Q, K, V):
    Q *= 0.5
    E = np.exp(2 * Q @ K.T / np.sqrt(Q.shape[1]))
    Q *= 2.0
    return E @ V / E.sum(axis=1, keepdims=True)
