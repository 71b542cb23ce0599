"""title: Values read in the order of memory
kind: layout
flaw: the values are flattened in memory order and read as rows
expected: PROVED
function: attention
reason: proved for C-contiguous arrays, as the scope says
"""

import numpy as np


def attention(Q, K, V):
    d_v = V.shape[1]
    flat = V.flatten(order="A")
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = np.zeros((len(Q), d_v))
    for j in range(len(K)):
        O += np.outer(E[:, j], flat[j * d_v : (j + 1) * d_v])
    return O / E.sum(axis=1, keepdims=True)
