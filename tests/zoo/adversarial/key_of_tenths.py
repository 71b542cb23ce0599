"""title: A dictionary's key that is a sum of tenths
kind: adversarial
flaw: floats hash to another key
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
    n = K.shape[1]
    return O + {0.30000000000000004: bump(Q)}.get(n / 10 * 3, 0.0)
