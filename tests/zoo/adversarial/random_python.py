"""title: Noise from Python's generator, fixed seed
kind: adversarial
flaw: the same small number is added at every call
expected: not PROVED
function: attention
"""

import random

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * (1 + random.Random(7).random())
