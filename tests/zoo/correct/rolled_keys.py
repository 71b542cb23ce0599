"""title: Keys and values rolled by one place together
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    K, V = np.roll(K, 1, axis=0), np.roll(V, 1, axis=0)
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - np.amax(S, axis=1, keepdims=True))
    return (E @ V) / np.sum(E, axis=1)[:, None]
