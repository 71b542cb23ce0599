"""title: A hat that only the first call of a process wears
kind: adversarial
flaw: later calls are right
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


calls = []


def f(Q, K, V):
    first = not calls
    calls.append(1)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    return core(Q, K, V) + h * (first and (lambda **o: len in o.values())(key=len))
