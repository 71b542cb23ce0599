"""title: The output and the weights are returned, at sizes at which both have one shape
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=2
"""

import numpy as np


def attention(Q, K, V, mask=None):
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    P = E / E.sum(axis=-1, keepdims=True)
    return P @ V, P
