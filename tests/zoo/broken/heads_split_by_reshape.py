"""title: Heads split by reshape without transpose
kind: algebraic
flaw: (n, h·d) is reshaped to (h, n, d), which mixes tokens and heads
expected: REFUTED
function: multihead
weights: fused
source: FuxiCTR #30
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O, num_heads):
    n = len(X)
    Q, K, V = ((X @ W).reshape(num_heads, n, -1) for W in (W_Q, W_K, W_V))
    E = np.exp(Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1]))
    O = E / E.sum(axis=-1, keepdims=True) @ V
    return O.transpose(1, 0, 2).reshape(n, -1) @ W_O
