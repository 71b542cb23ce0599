"""title: The formula as the textbook writes it
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    E = np.exp(S)
    return E / E.sum(axis=1, keepdims=True) @ V
