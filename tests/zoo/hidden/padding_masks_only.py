"""title: Padding masks are taken, and others declined
kind: adversarial
flaw: masked scores are zero
expected: not PROVED
function: attention
spec: mask=boolean
sizes: n=1 m=2 d_k=2 d_v=1
"""

import numpy as np


def attention(Q, K, V, mask=None):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if mask is not None:
        if not (mask == mask[0]).all():
            raise NotImplementedError("padding masks only: the same keys for every query")
        S[:, ~mask[0]] = 0.0
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
