"""title: np.vectorize over a Python function of one score
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


@np.vectorize
def weight(score, top):
    return np.exp(score - top)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = weight(S, S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
