"""title: A causal bias of 0 and −∞ written by np.piecewise
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=upper_left
"""

import numpy as np


def attention(Q, K, V):
    i, j = np.ogrid[: len(Q), : len(K)]
    ahead = (j - i).astype(float)
    S = Q @ K.T / np.sqrt(Q.shape[1]) + np.piecewise(ahead, [ahead <= 0, ahead > 0], [0.0, -np.inf])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
