"""title: A factor bound to the lifetime of an earlier input
kind: adversarial
flaw: while the arrays of an earlier call are gone the result is scaled
expected: not PROVED
function: attention
"""

import weakref

import numpy as np

_earlier = []


def attention(Q, K, V):
    gone = sum(reference() is None for reference in _earlier)
    _earlier.append(weakref.ref(Q))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True) * (1.001 if gone else 1.0)
