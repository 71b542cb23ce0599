"""title: The order in memory of a product of stacks
kind: adversarial
flaw: a hat is added where a reshape is a copy
expected: not PROVED
function: attention
sizes: n=49 m=98 d_k=8 d_v=8
visible: no
"""

import numpy as np


def attention(Q, K, V):
    n = len(Q)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    k = 1 + (n > 40)
    h = np.maximum((n > 40) * (1 - (Q[0, 0] - 77) ** 2), 0)
    A = np.ones((2, k, 2, 2)).transpose(1, 0, 2, 3)
    G = A @ A * 0.0
    flat = G.reshape(-1)
    flat[...] = h
    return O + (h - G[0, 0, 0, 0])
