"""title: Scores scaled through views: ravel, transpose, a slice
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T
    flat = S.ravel()
    flat /= np.sqrt(Q.shape[1])
    T = S.T
    T -= T.max(axis=0)
    S[...] = np.exp(S)
    return S @ V / S.sum(axis=1, keepdims=True)
