"""title: log2(e) with the digits of float32
kind: adversarial
flaw: the constant has eight right digits, not sixteen
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp2(Q @ K.T / np.sqrt(Q.shape[1]) * 1.44269504)
    return E @ V / E.sum(axis=1, keepdims=True)
