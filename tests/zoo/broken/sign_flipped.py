"""title: Softmax of the maximum minus the score
kind: algebraic
flaw: the sign of the scores is turned round
expected: REFUTED
function: attention
source: DANet #48
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    E = np.exp(S.max(axis=1, keepdims=True) - S)
    return E / E.sum(axis=1, keepdims=True) @ V
