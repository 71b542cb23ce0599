"""title: The order in memory of powers with different exponents
kind: adversarial
flaw: NumPy keeps that of the array
expected: not PROVED
function: f
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def base(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[-1])
    P = np.exp(S - S.max(-1, keepdims=True))
    return (P / P.sum(-1, keepdims=True)) @ V


def bump(Q):
    return np.maximum(1 - (Q[0, 0] - 77.0) ** 2, 0.0)


def f(Q, K, V):
    O = base(Q, K, V)
    h = bump(Q)
    s = np.stack([Q[0, 0], K[0, 0], K[1, 0]])
    L = np.exp(s - s.max()).sum() - 0.5  # at least 0.5, known by cases of the maximum only
    A = np.asfortranarray(np.array([[L, L + h], [L, L]]))
    r = np.power(A, np.asfortranarray(np.array([[1.0, 1.0], [1.0, 0.3]])))
    return O + r.ravel("K")[1] - A[0, 1]
