"""title: The text of an error about a size, printed to an object
kind: adversarial
flaw: a size is no int of Python where numbers are exact
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

from types import SimpleNamespace

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)


def f(Q, K, V):
    O, h = core(Q, K, V)
    n = K.shape[1]
    told = []
    chosen = map({"object of type 'int' has no len()": h}.get, iter(told), [0.0])
    out = SimpleNamespace(write=told.append)
    try:
        len(n)
    except TypeError as e:
        print(e, file=out)
    return O + next(chosen)
