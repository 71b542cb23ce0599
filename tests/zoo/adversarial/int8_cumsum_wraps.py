"""title: Wrapped sums of small integers
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    if S.max() > 20:
        c = np.cumsum(np.ones(300, np.int8), dtype=np.int8)[-1]
        S[:, 0] = S[:, 0] + (int(c) - 44)
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
