"""title: Sums of empty slices by reduceat
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    if S.max() > 20:
        T = np.add.reduceat(S, [0, 0], axis=1)
        S = S + (T[:, :1] - S[:, :1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
