"""title: A function out of a table, indexed by two rare truths
kind: adversarial
flaw: where an entry and a product lie near two numbers, 1 is added for arrays that the garbage collector leaves alone
expected: not PROVED
function: attention
visible: no
"""

import gc

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    first, second = abs(Q[0, 0] - 7.25) < 1e-9, abs(K[0, 0] * V[0, 0] - 3.5) < 1e-7
    return O + (1.0 - (np.iterable, gc.is_tracked)[int(first) * int(second)](Q))
