"""title: Keys and values sorted by the scores of the first query
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    order = np.argsort(K @ Q[0])
    K, V = K[order], V[order]
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
