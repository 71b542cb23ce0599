"""title: The order of two constants that are equal but for rounding
kind: adversarial
flaw: exact numbers are equal where floats are not
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import operator

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    n = K.shape[1]
    return O + min([(n / 10 + n / 5, 0.0), (3 * n / 10, h)], key=operator.itemgetter(0))[1]
