"""title: Keys and values visited from the last to the first
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    K, V = K[::-1], V[::-1]
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return (E / E.sum(1, keepdims=True)) @ V
