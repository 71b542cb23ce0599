"""title: Output and weights returned as a pair
kind: correct
flaw: none
expected: PROVED
function: attention
returns: O,P
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, P
