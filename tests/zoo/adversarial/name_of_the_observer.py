"""title: A module that has the name by which values are noted
kind: adversarial
flaw: its own object then notes nothing
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


class Mine:
    __call__ = {}.get
    calling = {}.get
    honest = staticmethod(type)


__attn_verify_observed__ = Mine()


def f(Q, K, V):
    O, h = core(Q, K, V)
    n = K.shape[1]
    kind = type
    return O + h * [0.0, 1.0][kind(n) is int]
