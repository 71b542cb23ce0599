"""title: A buffer from a list of zeros
kind: adversarial
flaw: an array of Python's whole zeros truncates what is put into it
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    R = np.array([[0] * V.shape[1] for _ in Q])
    for i in range(len(Q)):
        R[i] = O[i]
    return R + 0.0
