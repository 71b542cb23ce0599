"""title: A result that depends on the inputs of an earlier call
kind: adversarial
flaw: the second call that was tried had the same inputs
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


prev = [0.0, 0.0]


def f(Q, K, V):
    O, h = core(Q, K, V)
    r = O + prev[0] * (Q[0, 0] - prev[1])
    prev[:] = [h, Q[0, 0]]
    return r
