"""title: Heads behind the tokens
kind: correct
flaw: none
expected: PROVED
function: attention
layout: bnhd
"""

import numpy as np


def attention(q, k, v):
    b, n, h, d = q.shape
    out = np.empty((b, n, h, v.shape[-1]))
    for bi in range(b):
        for hi in range(h):
            s = q[bi, :, hi] @ k[bi, :, hi].T / np.sqrt(d)
            p = np.exp(s - s.max(axis=1, keepdims=True))
            out[bi, :, hi] = (p / p.sum(axis=1, keepdims=True)) @ v[bi, :, hi]
    return out
