"""title: Online softmax for one query at a time with Python's max
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
"""

import math

import numpy as np


def one_query(q, K, V):
    peak, norm, acc = -math.inf, 0.0, np.zeros(V.shape[1])
    for k, v in zip(K, V, strict=True):
        s = (q @ k) / math.sqrt(len(q))
        new = max(peak, s)
        shrink, weight = np.exp(peak - new), np.exp(s - new)
        norm = norm * shrink + weight
        acc = acc * shrink + weight * v
        peak = new
    return acc / norm


def attention(Q, K, V):
    return np.stack([one_query(q, K, V) for q in Q])
