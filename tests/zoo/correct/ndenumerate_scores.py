"""title: Scores written entry by entry while np.ndenumerate walks over them
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = np.empty((len(Q), len(K)))
    for (i, j), _ in np.ndenumerate(S):
        S[i, j] = sum(q * k for q, k in zip(Q[i].flat, K[j].flat, strict=True)) / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
