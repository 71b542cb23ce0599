"""title: Keys folded in another order than queries
kind: algebraic
flaw: batch and head are swapped when keys and values are folded, so a query meets the keys of another head
expected: REFUTED
function: attention
layout: bhnd
source: onnx #7274, jax-js #180
"""

import numpy as np


def attention(Q, K, V):
    b, h, n, d = Q.shape
    q = Q.reshape(b * h, n, d)
    k, v = (A.swapaxes(0, 1).reshape(b * h, *A.shape[2:]) for A in (K, V))
    E = np.exp(q @ k.swapaxes(1, 2) / np.sqrt(d))
    return (E / E.sum(-1, keepdims=True) @ v).reshape(b, h, n, -1)
