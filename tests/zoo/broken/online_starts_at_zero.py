"""title: Running maximum starts at zero
kind: magnitude
flaw: rows whose scores are all very negative underflow, because the running maximum is never below zero
expected: PROVED
function: attention
source: flash-attention #2082
"""

import numpy as np


def attention(Q, K, V):
    n = len(Q)
    peak, norm, acc = np.zeros(n), np.zeros(n), np.zeros((n, V.shape[1]))
    for k, v in zip(K, V, strict=True):
        s = Q @ k / np.sqrt(Q.shape[1])
        new = np.maximum(peak, s)
        norm = norm * np.exp(peak - new) + np.exp(s - new)
        acc = acc * np.exp(peak - new)[:, None] + np.exp(s - new)[:, None] * v
        peak = new
    return acc / norm[:, None]
