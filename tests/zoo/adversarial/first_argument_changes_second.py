"""title: Values changed before they are used
kind: adversarial
flaw: a helper that should only read the keys scales the values by way of a shared list
expected: not PROVED
function: attention
"""

import numpy as np


def peek(arrays):
    arrays[1] = arrays[1] * 1.001
    return arrays[0]


def attention(Q, K, V):
    shared = [K, V]
    E = np.exp(Q @ peek(shared).T / np.sqrt(Q.shape[1]))
    return E @ shared[1] / E.sum(axis=1, keepdims=True)
