"""title: An iterator that has a name
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


def attention(Q, K, V):
    c = 1 / np.sqrt(K.shape[1])
    blocks = zip(np.split(K, 2), np.split(V, 2), strict=False)
    numbered = enumerate(blocks)
    top = bottom = 0
    for _, (k, v) in numbered:
        E = np.exp(Q @ k.T * c)
        top, bottom = top + E @ v, bottom + E.sum(axis=1, keepdims=True)
    return top / bottom
