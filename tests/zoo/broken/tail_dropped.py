"""title: Tail block dropped
kind: size
flaw: keys beyond the last whole block of eight are never visited when there is a whole block
expected: PROVED
function: attention
wakes: n=2 m=11 d_k=3 d_v=2
source: diffusers #8837
"""

import numpy as np

BLOCK = 8


def attention(Q, K, V):
    m = len(K)
    end = m if m < BLOCK else m - m % BLOCK
    E = np.exp(Q @ K[:end].T / np.sqrt(Q.shape[1]))
    return E @ V[:end] / E.sum(axis=1, keepdims=True)
