"""title: A vectorised function that writes into its argument
kind: adversarial
flaw: NumPy copies all entries first
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
    a = np.zeros(2) + h

    def g(q):
        a[...] = a + h
        return q

    b = np.vectorize(g, otypes=[float])(a)
    d = b[1] - 2 * h
    return O + d
