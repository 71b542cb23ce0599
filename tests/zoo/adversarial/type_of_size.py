"""title: A function chosen by the type of a size
kind: adversarial
flaw: scores beyond 1e11 are cut off where sizes are ints
expected: not PROVED
function: attention
visible: no
"""

import functools

import numpy as np

LIMIT = functools.partial(np.minimum, 99.0)
KEEP = functools.partial(np.maximum, -np.inf)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = {int: LIMIT}.get(type(Q.shape[0]), KEEP)(S * 2.0**-30) * 2.0**30
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
