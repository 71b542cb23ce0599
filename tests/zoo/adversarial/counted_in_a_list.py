"""title: How many flat iterators in a list equal zero
kind: adversarial
flaw: one of NumPy compares as its array does
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
"""

import numpy as np


def core(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def f(Q, K, V):
    w = np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    return core(Q, K, V) + [np.maximum(w - 2, 0).reshape(1).flat].count(0.0)
