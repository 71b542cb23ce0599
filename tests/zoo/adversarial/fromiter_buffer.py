"""title: One buffer yielded again and again
kind: adversarial
flaw: NumPy reads each number at once
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
    buf = np.zeros(())

    def gen():
        for _ in range(2):
            buf[...] += h
            yield buf

    a = np.fromiter(gen(), float)
    d = 2 * h - a[0]
    return O + d
