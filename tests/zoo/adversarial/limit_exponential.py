"""title: (1 + s/N)**N for exp
kind: adversarial
flaw: the limit is cut off at a million
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    N = 1_000_000
    E = (1 + Q @ K.T / np.sqrt(Q.shape[1]) / N) ** N
    return E @ V / E.sum(axis=1, keepdims=True)
