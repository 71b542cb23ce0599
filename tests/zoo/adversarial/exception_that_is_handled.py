"""title: KeyError as control flow of a dictionary of sizes
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np

_ROOTS = {}


def attention(Q, K, V):
    try:
        root = _ROOTS[Q.shape[1]]
    except KeyError:
        root = _ROOTS[Q.shape[1]] = np.sqrt(Q.shape[1])
    E = np.exp(Q @ K.T / root)
    return E @ V / E.sum(axis=1, keepdims=True)
