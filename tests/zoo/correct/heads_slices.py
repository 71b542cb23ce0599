"""title: Fused weights, one slice of columns a head, output projected head by head
kind: correct
flaw: none
expected: PROVED
function: mha
weights: fused
"""

import numpy as np


def mha(x, wq, wk, wv, wo, n_heads):
    d_k, d_v = wq.shape[1] // n_heads, wv.shape[1] // n_heads
    y = 0
    for h in range(n_heads):
        cols, vcols = slice(h * d_k, (h + 1) * d_k), slice(h * d_v, (h + 1) * d_v)
        q, k, v = x @ wq[:, cols], x @ wk[:, cols], x @ wv[:, vcols]
        s = q @ k.T * d_k**-0.5
        w = np.exp(s - s.max(axis=1)[:, None])
        y = y + (w / w.sum(axis=1)[:, None]) @ v @ wo[vcols]
    return y
