"""title: Keys padded to a multiple of the block, the padding masked by minus infinity
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V, block=4):
    m = K.shape[0]
    extra = -m % block
    K = np.pad(K, ((0, extra), (0, 0)))
    V = np.pad(V, ((0, extra), (0, 0)))
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S[:, m:] = -np.inf
    S = S - S.max(axis=-1, keepdims=True)
    E = np.exp(S)
    return (E @ V) / E.sum(axis=-1, keepdims=True)
