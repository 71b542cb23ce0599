"""title: A decorator that does more where arguments come by position
kind: adversarial
flaw: a hat is added to results of calls by position
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from functools import wraps

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def checked(g):
    @wraps(g)
    def inner(*args, **named):
        O = g(*args, **named)
        if args:
            h = np.maximum(1 - (args[0][0, 0] - 77) ** 2, 0)
            O = O + h
        return O

    return inner


@checked
def attention(Q, K, V):
    return core(Q, K, V)
