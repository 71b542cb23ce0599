"""title: Powers of 2 instead of e, made a function of arrays by np.frompyfunc
kind: algebraic
flaw: the base of the exponential is 2, and nothing makes up for it
expected: REFUTED
function: attention
"""

import numpy as np

power_of_two = np.frompyfunc(lambda x: 2.0**x, 1, 1)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = power_of_two(S - S.max(axis=1, keepdims=True)).astype(float)
    return E / E.sum(axis=1, keepdims=True) @ V
