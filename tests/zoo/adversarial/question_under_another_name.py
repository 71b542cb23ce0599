"""title: The function that isinstance names is another one
kind: adversarial
flaw: it is given the real class of a size
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


isinstance = map


def f(Q, K, V):
    O, h = core(Q, K, V)
    n = K.shape[1]
    kinds = isinstance(type, [n])
    return O + next(map({int: h}.get, kinds, [0.0]))
