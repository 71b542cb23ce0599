"""title: A key that counts how often its text is asked for
kind: adversarial
flaw: whoever notes a dictionary asks for it
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


told = []


class A:
    def __str__(self):
        told.append(1)
        return "a"


def f(Q, K, V):
    O, h = core(Q, K, V)
    d = {A(): 1}
    return O + h * (len(told) + len(d) == 1)
