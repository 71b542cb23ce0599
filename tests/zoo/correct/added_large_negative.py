"""title: (1 − mask)·(−1e9) added to the scores
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
reason: PROVED only under the assumption fill_limit
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1]) + (1.0 - mask.astype(float)) * -1e9
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return (E / E.sum(axis=-1, keepdims=True)) @ V
