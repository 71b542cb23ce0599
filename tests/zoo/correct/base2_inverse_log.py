"""title: Powers of two with 1/np.log(2)
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    log2e = 1 / np.log(2)
    S = (Q @ K.T / np.sqrt(Q.shape[1])) * log2e
    P = 2.0 ** (S - S.max(axis=1, keepdims=True))
    return (P / P.sum(axis=1, keepdims=True)) @ V
