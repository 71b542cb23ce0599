"""title: math.exp made a function of arrays by np.frompyfunc
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import math

import numpy as np

exp = np.frompyfunc(math.exp, 1, 1)


def attention(Q, K, V):
    S = Q @ K.T / math.sqrt(Q.shape[1])
    E = exp(S - S.max(axis=1, keepdims=True)).astype(float)
    return E / E.sum(axis=1, keepdims=True) @ V
