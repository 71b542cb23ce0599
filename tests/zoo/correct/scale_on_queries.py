"""title: Queries scaled before the product, math.sqrt
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import math

import numpy as np


def attention(q, k, v):
    q = q / math.sqrt(q.shape[-1])
    logits = q @ k.T
    logits -= logits.max(axis=-1, keepdims=True)
    unnormalised = np.exp(logits)
    return (unnormalised @ v) / unnormalised.sum(axis=-1)[..., None]
