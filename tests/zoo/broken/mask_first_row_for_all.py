"""title: One row of the mask for every query
kind: algebraic
flaw: the mask of the first query is used for all
expected: REFUTED
function: attention
spec: mask=boolean
sizes: n=3 m=4
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask[0], Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
