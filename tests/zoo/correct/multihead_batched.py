"""title: Batched multi-head self-attention with fused weights
kind: correct
flaw: none
expected: PROVED
function: multi_head_attention
layout: bnd
weights: fused
"""

import numpy as np


def multi_head_attention(x, Wq, Wk, Wv, Wo, num_heads):
    def heads(A):
        b, n, width = A.shape
        return A.reshape(b, n, num_heads, width // num_heads).swapaxes(1, 2)

    q, k, v = heads(x @ Wq), heads(x @ Wk), heads(x @ Wv)
    s = (q * k.shape[-1] ** -0.5) @ k.swapaxes(-1, -2)
    s -= s.max(axis=-1, keepdims=True)
    p = np.exp(s)
    p /= p.sum(axis=-1, keepdims=True)
    z = np.swapaxes(p @ v, 1, 2)
    return z.reshape(*z.shape[:2], -1) @ Wo
