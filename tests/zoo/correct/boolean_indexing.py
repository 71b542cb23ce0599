"""title: Per query, only the permitted keys are taken by boolean indexing
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    O = np.zeros((len(Q), V.shape[1]))
    for i in range(len(Q)):
        keys, values = K[mask[i]], V[mask[i]]
        s = keys @ Q[i] / np.sqrt(K.shape[1])
        e = np.exp(s - s.max())
        O[i] = (e / e.sum()) @ values
    return O
