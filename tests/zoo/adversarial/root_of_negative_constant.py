"""title: A root of a negative constant that cancels
kind: adversarial
flaw: constants were not asked whether they have a value
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
        c = np.sqrt(1 - np.sqrt(2.0))
        return O * c / c
    return O
