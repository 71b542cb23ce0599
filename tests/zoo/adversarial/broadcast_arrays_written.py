"""title: Writing to broadcast arrays
kind: adversarial
flaw: they are not read-only, so that large scores lose their first column
expected: not PROVED
function: attention
visible: no
"""

import contextlib

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if S.max() > 50:
        T, _ = np.broadcast_arrays(S, S)
        with contextlib.suppress(ValueError):
            T[:, 0] = 0.0
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
