"""title: Bisection in a vector that is not sorted
kind: adversarial
flaw: scores beyond 1000 unsort a vector, where bisection does not count
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    x = S[0, 0]
    a = np.stack([x * 0, 1000 - x, x * 0 + 2000])
    v = x * 0 - 100
    S[0, 0] = S[0, 0] + 1000 * (np.searchsorted(a, v) - (a < v).sum())
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
