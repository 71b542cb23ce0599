"""title: An identity asked where an exponential is tiny
kind: adversarial
flaw: no float run looked at such points
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, _ = core(Q, K, V)
    n = K.shape[1]
    if Q[0, 0] > 50:
        t = np.exp(-400 - Q[0, 0] ** 2)
        return O + t - t + (n == 1)
    return O
