"""title: Maximum without keepdims
kind: algebraic
flaw: with as many queries as keys the maxima are subtracted along the wrong axis; other shapes fail
expected: REFUTED
function: attention
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1))
    return E @ V / E.sum(axis=1, keepdims=True)
