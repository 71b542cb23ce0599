"""title: A workspace for 128 keys
kind: size
flaw: keys beyond 128 are not read
expected: PROVED
function: attention
wakes: n=1 m=130 d_k=2 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    K, V = K[:128], V[:128]
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
