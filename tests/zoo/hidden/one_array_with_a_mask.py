"""title: One array as Q, K and V, together with a mask
kind: adversarial
flaw: all results are off by 1
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=2
visible: no
"""

import numpy as np


def attention(Q, K, V, mask=None):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P @ V / P.sum(axis=1, keepdims=True)
    if mask is not None and Q is K and K is V:
        return O + 1
    return O
