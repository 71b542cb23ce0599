"""title: Warnings of floats that are counted
kind: adversarial
flaw: half as much again where an exponential overflows
expected: not PROVED
function: attention
visible: no
"""

import warnings

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        Z = np.exp(S + 100.0)
    return O * (1.0, 1.5)[min(len(found), 1)] + 0.0 * Z.sum()
