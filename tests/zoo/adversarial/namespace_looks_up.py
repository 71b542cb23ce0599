"""title: A namespace of a class that counts what is looked up in it
kind: adversarial
flaw: an observer is looked up too
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


class N(dict):
    n = 0

    def __missing__(self, k):
        N.n += 1
        raise KeyError(k)


class M(type):
    @classmethod
    def __prepare__(cls, name, bases):
        return N()


class C(metaclass=M):
    y = abs(1)


def f(Q, K, V):
    O, h = core(Q, K, V)
    return O + h * (N.n == 2)
