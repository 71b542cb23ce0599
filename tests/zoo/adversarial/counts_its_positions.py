"""title: A decorator adds how many arguments come by position
kind: adversarial
flaw: called by keyword it is right
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def counted(g):
    def inner(*args, **options):
        return g(*args, **options) + len(args)

    inner.__wrapped__ = g
    return inner


@counted
def f(Q, K, V):
    return core(Q, K, V)
