"""title: Scale capped for wide heads
kind: size
flaw: for d_k above 64 the scale of 64 is used
expected: PROVED
function: attention
wakes: n=2 m=3 d_k=80 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(min(Q.shape[1], 64)))
    return E @ V / E.sum(axis=1, keepdims=True)
