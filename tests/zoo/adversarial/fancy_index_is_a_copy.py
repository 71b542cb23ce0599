"""title: Scaled through an index list
kind: adversarial
flaw: indexing by a list copies, so the scores stay unscaled
expected: not PROVED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T
    rows = S[list(range(len(Q)))]
    rows /= np.sqrt(Q.shape[1])
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
