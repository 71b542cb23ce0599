"""title: Causal mask and boolean mask joined
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right mask=boolean
sizes: n=2 m=3
"""

import numpy as np


def attention(Q, K, V, mask=None):
    n, m = len(Q), len(K)
    allowed = np.tri(n, m, m - n, dtype=bool)
    if mask is not None:
        allowed &= mask
    S = np.where(allowed, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
