"""title: The floor of a sum of many parts that floats round
kind: adversarial
flaw: a hat is added where n/n is rounded below 1
expected: not PROVED
function: attention
sizes: n=49 m=98 d_k=8 d_v=8
visible: no
"""

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def attention(Q, K, V):
    n, m = len(Q), len(K)
    O = right(Q, K, V)
    h = np.maximum((n > 40) - (Q[0, 0] - 77) ** 2, 0)
    ones = np.floor(np.ones((n, m)) / n * n)
    return O + (1 - ones) @ (h * np.ones((m, V.shape[1])))
