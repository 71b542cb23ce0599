"""title: A question whose sides are one function
kind: adversarial
flaw: an identity that no rule knows was taken for a rare equation
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
    if Q[0, 0] > 3:
        u, v, y = Q[0, 0] ** 2 + 1, K[0, 0] ** 2 + 2, K[1, 0]
        a = np.sqrt(u * 1e34) * (np.sin(np.sqrt(u) * np.sqrt(v)) - np.sin(np.sqrt(u * v)))
        if np.exp(y - a * a) < np.exp(y):
            return O
        n, one = K.shape[1], 1
        return O + 1.0 * (n is one)
    return O
