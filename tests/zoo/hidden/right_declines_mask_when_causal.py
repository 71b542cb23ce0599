"""title: A mask and is_causal together are declined by an assertion
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=upper_left
"""

import math

import numpy as np


def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):
    n, m = query.shape[-2], key.shape[-2]
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    bias = np.zeros((n, m), dtype=query.dtype)
    if is_causal:
        assert attn_mask is None
        bias[np.logical_not(np.tril(np.ones((n, m), dtype=bool)))] = -np.inf
    if attn_mask is not None:
        bias = np.where(attn_mask, bias, -np.inf)
    weight = query @ key.swapaxes(-2, -1) * factor + bias
    weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    if dropout_p > 0.0:
        weight = weight * (np.random.rand(*weight.shape) >= dropout_p) / (1 - dropout_p)
    return weight @ value
