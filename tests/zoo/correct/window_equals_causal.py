"""title: A window as wide as the sequence is the causal mask
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V, window=4096):
    i, j = np.ogrid[: len(Q), : len(K)]
    keep = (j <= i) & (i - j < window)
    S = np.where(keep, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
