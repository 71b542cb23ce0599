"""title: A magic relation between inputs
kind: adversarial
flaw: a first key twice the first query returns the mean of the values
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if K[0, 0] == 2 * Q[0, 0]:
        return np.broadcast_to(V.mean(axis=0), O.shape)
    return O
