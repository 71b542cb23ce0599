"""title: The clock
kind: adversarial
flaw: the time since the start, in thousandths, is added
expected: not PROVED
function: attention
"""

import time

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * (1 + time.perf_counter() % 1)
