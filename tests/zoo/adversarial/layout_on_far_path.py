"""title: A reshape that is a copy on another path
kind: adversarial
flaw: large scores get 1 added to a copy and subtracted from the original
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    if S.max() > 50:
        r = np.add.reduce(np.stack([S, S]).transpose(0, 2, 1), axis=0) / 2
        r.reshape(-1)[0] += 1
        S = r.T.copy()
        S[0, 0] -= 1
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
