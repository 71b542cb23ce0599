"""title: Queries and keys exchanged
kind: algebraic
flaw: scores are those of keys asking queries
expected: REFUTED
function: attention
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(K @ Q.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
