"""title: The first of a set of constants that a loop goes through
kind: adversarial
flaw: the compiler makes a frozen set of it, in another order
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
    O, h = core(Q, K, V)
    order = [i + 0 for i in {16, 1, 2, 3, 4}]
    return O + h * (order[0] == 1)
