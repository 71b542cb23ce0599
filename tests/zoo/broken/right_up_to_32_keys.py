"""title: A fast path for long inputs without the scale
kind: size
flaw: beyond 32 keys the fast path forgets the scale
expected: PROVED
function: attention
wakes: n=2 m=33 d_k=3 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    scale = 1 / np.sqrt(Q.shape[1]) if len(K) <= 32 else 1.0
    E = np.exp(Q @ K.T * scale)
    return E @ V / E.sum(axis=1, keepdims=True)
