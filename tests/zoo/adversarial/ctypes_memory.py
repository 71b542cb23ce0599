"""title: Memory of an array read through ctypes
kind: adversarial
flaw: the first number in memory is added
expected: not PROVED
function: attention
"""

import ctypes

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    first = ctypes.cast(Q.ctypes.data, ctypes.POINTER(ctypes.c_double))[0]
    return O + 1e-3 * first
