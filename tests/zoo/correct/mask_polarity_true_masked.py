"""title: True in the mask hides a key
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean mask_true=masked
"""

import numpy as np


def attention(Q, K, V, attn_mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S[attn_mask] = -np.inf
    E = np.exp(S - np.max(S, axis=1, keepdims=True))
    return E @ V / E.sum(1, keepdims=True)
