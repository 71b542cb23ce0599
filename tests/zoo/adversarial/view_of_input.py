"""title: One key: a view of the values is returned
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    if len(K) == 1:
        return np.broadcast_to(V, (len(Q), V.shape[1]))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
