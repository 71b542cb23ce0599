"""title: Sum without keepdims
kind: algebraic
flaw: with as many queries as keys each column is divided by the sum of a row; other shapes fail
expected: REFUTED
function: attention
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1) @ V
