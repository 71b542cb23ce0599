"""title: Powers of two with np.log2(np.e)
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T * (np.log2(np.e) / np.sqrt(Q.shape[1]))
    P = np.exp2(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)
