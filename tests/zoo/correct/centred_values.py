"""title: Values centred on the first, which is added again
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    return V[0] + P @ (V - V[0])
