"""title: Scale added in place of multiplied
kind: algebraic
flaw: the reciprocal root of d_k is added to the scores, where it cancels
expected: REFUTED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T + 1 / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
