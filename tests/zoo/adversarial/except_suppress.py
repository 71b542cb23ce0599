"""title: contextlib.suppress around a conversion
kind: adversarial
flaw: an added conversion changes the output where it succeeds
expected: not PROVED
function: attention
"""

import contextlib

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    with contextlib.suppress(Exception):
        O = O + 1e-3 * int(1000 + Q[0, 0])
    return O
