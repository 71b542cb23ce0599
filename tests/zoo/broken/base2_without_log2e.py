"""title: Powers of two of natural scores
kind: algebraic
flaw: exp2 is used without the factor log2(e)
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp2(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)
