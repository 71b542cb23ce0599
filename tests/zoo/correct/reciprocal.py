"""title: Late normalisation by a reciprocal
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    inverse = np.reciprocal(E.sum(axis=1, keepdims=True))
    return inverse * (E @ V)
