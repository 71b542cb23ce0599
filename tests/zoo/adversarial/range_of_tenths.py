"""title: How many tenths there are up to three tenths
kind: adversarial
flaw: floats count one more
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
        a = np.arange(0, n / 10 * 3, n / 10)
        return O + (a * 0 + 1).sum() * bump(Q) - 3 * bump(Q)
    return O
