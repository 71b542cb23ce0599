"""title: Memory read as if it were in C order
kind: layout
flaw: rows are rebuilt from the raw buffer, so any other memory order gives other matrices
expected: PROVED
function: attention
reason: proved for C-contiguous arrays, as the scope says
source: pytorch #181133
"""

import numpy as np


def attention(Q, K, V):
    K = K.ravel(order="K").reshape(K.shape)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
