"""title: Both operands divided by the square root of the square root of d_k
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    s = np.sqrt(np.sqrt(Q.shape[1]))
    E = np.exp((Q / s) @ (K / s).T)
    return E @ V / E.sum(axis=1, keepdims=True)
