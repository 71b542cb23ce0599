"""title: What a destructor writes when an object dies
kind: adversarial
flaw: it dies later where it is observed
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


class D:
    def __init__(self, s, h):
        self.s, self.h = s, h

    def __call__(self):
        return 0.0

    def __del__(self):
        self.s[0] = self.h


def f(Q, K, V):
    O, h = core(Q, K, V)
    s = [0.0]
    D(s, h)()
    return O + s[0]
