"""title: A large constant beside a view
kind: adversarial
flaw: differences were judged by the size of the whole memory
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
    big = np.zeros(20)
    big[0] = 1e30
    a = big[2:4].reshape(2, 1)
    a[0] = 0 - h
    b = a.copy()
    r = np.ptp(a, axis=0, out=a[0])
    d = r[0] - (np.max(b, axis=0) - np.min(b, axis=0))[0]
    return O + d
