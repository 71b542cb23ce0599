"""title: Queries scaled, and the kernel scales again
kind: algebraic
flaw: the scores are divided by d_k in place of its square root
expected: REFUTED
function: attention
sizes: d_k=3
source: transformers #38290, maxtext #3138
"""

import numpy as np


def kernel(q, k, v):
    s = q @ k.T / np.sqrt(k.shape[1])
    p = np.exp(s - s.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) @ v


def attention(Q, K, V):
    return kernel(Q * Q.shape[1] ** -0.5, K, V)
