"""title: Integers first in apply_along_axis
kind: adversarial
flaw: all rows are cut to integers where the first one, unused, is of integers
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    def row(r):
        return np.zeros(r.shape, dtype=int) if r[0] > 50 else r

    T = np.concatenate([S[:1], S])
    count = [0]

    def lane(r):
        count[0] += 1
        if count[0] == 1:
            return row(r)
        return r

    S = np.apply_along_axis(lane, 1, T)[1:]
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
