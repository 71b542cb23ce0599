"""title: Window one key too wide
kind: algebraic
flaw: the window of past keys is meant to reach back to the first but also forward by one
expected: REFUTED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
source: transformers #39408
"""

import numpy as np


def attention(Q, K, V, window=64):
    offset = np.arange(len(Q))[:, None] - np.arange(len(K))[None, :]
    see = (offset >= -1) & (offset <= window)
    S = np.where(see, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
