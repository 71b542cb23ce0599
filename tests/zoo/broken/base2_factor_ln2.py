"""title: ln 2 in place of log2(e)
kind: algebraic
flaw: the scores are multiplied by ln 2 where its reciprocal is meant
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T * np.log(2) / np.sqrt(Q.shape[1])
    P = np.exp2(S)
    return P @ V / P.sum(axis=1, keepdims=True)
