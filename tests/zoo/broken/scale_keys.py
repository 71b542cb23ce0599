"""title: Scale by the number of keys
kind: algebraic
flaw: divides by the square root of m, the number of keys
expected: REFUTED
function: attention
sizes: n=2 m=4 d_k=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(K.shape[0]))
    return E @ V / E.sum(axis=1, keepdims=True)
