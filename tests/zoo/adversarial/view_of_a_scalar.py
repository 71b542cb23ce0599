"""title: A number with a new axis, written to
kind: adversarial
flaw: above 3e7 the array is cleared, and not the number that is added
expected: not PROVED
function: attention
sizes: n=1 m=2 d_k=1 d_v=1
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    gate = np.maximum(Q[:1, :1] / 1e7 - 3, 0)
    number = gate[0, 0]
    other = number[None]
    other[...] = 0
    return O + number
