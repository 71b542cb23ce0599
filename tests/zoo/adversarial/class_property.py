"""title: A property __class__ that takes note of being asked
kind: adversarial
flaw: an observer asks for classes
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


class A:
    n = [0]  # noqa: RUF012

    @property
    def __class__(self):
        A.n[0] = 1
        return A


def f(Q, K, V):
    O, h = core(Q, K, V)
    A.n[0] = 0
    a = A()
    a  # noqa: B018
    return O + h * (A.n[0] == 0)
