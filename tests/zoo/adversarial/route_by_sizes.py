"""title: The order in memory that einsum's route by sizes gives
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
    h = np.maximum((n > 40) * (1 - (Q[0, 0] - 77) ** 2), 0)
    G = np.einsum("ij,jk,kl->il", np.ones((n, 2)), np.ones((2, 2)), np.ones((2, 2)), optimize=True)
    G = G - G
    flat = G.reshape(-1)
    flat[...] = h
    return O + (h - G[0, 0])
