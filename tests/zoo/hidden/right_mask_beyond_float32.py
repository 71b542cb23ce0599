"""title: A causal mask of the least float64 that is cast to float32, where it is −∞
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right
"""

import numpy as np


def attention(Q, K, V):
    n, m = len(Q), len(K)
    scores = Q @ K.T / np.sqrt(Q.shape[1])
    scores = scores + np.triu(np.full((n, m), np.finfo(scores.dtype).min), k=m - n + 1)
    scores = scores.astype(np.float32)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (weights / weights.sum(axis=-1, keepdims=True)).astype(Q.dtype) @ V
