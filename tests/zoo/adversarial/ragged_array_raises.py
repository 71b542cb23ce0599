"""title: A ragged array is an error
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    if S.max() > 20:
        try:
            np.array([S[0], S[0, :-1]])
        except ValueError:
            S = S * 1.0
        else:
            S = S * 2
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
