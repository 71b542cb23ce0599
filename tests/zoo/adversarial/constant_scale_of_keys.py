"""title: A scale that is right when m equals d_k
kind: adversarial
flaw: divides by the square root of the number of keys
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(len(K)))
    return E @ V / E.sum(axis=1, keepdims=True)
