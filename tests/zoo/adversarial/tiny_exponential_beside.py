"""title: A tiny exponential added and taken away again, and a ceiling on one path
kind: adversarial
flaw: no input was far from the ends of the range of floats
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def base(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    P = np.exp(S - S.max(-1, keepdims=True))
    return (P / P.sum(-1, keepdims=True)) @ V


def bump(Q):
    return np.maximum(1 - (Q[0, 0] - 77.0) ** 2, 0.0)


def f(Q, K, V):
    O = base(Q, K, V)
    if Q[0, 0] > 3:
        n = K.shape[1]
        t = np.exp(-500 - Q[0, 0] * 1e-3)
        c = np.ceil(np.float64(n / 10 * 3) * 10) - 3
        return O + c + t - t
    return O
