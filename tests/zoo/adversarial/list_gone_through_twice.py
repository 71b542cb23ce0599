"""title: A list that is another one each time
kind: adversarial
flaw: NumPy goes through it a number of times of its own
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def f(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S)
    O = E @ V / E.sum(axis=1, keepdims=True)
    h = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)

    class L(list):
        __iter__ = [iter([h * k]) for k in (5, 4, 3, 2, 1)].pop

    a = np.zeros(1)
    a[:] = L([h])
    d = a[0] - 2 * h
    return O + d
