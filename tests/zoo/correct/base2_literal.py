"""title: Powers of two with the literal 1.4426950408889634
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np

LOG2E = 1.4426950408889634


def attention(Q, K, V):
    S = Q @ K.T * Q.shape[1] ** -0.5
    P = np.exp2(LOG2E * S)
    return (P / P.sum(axis=1, keepdims=True)) @ V
