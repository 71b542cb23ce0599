"""title: In-place updates through aliases and views
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    T = S
    T += 0
    T *= 1
    U = T[:, ::-1]
    U -= U.max(axis=1, keepdims=True)
    S = T + 0 * S
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
