"""title: Writing to the conjugate of a real array
kind: adversarial
flaw: the method conj makes no copy, so that large scores are changed
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if S.max() > 50:
        c = S.conj()
        c[:, 0] = c[:, 0] + 1
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
