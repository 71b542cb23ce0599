"""title: Fused weights, heads split by reshape and transpose
kind: correct
flaw: none
expected: PROVED
function: multi_head_attention
weights: fused
"""

import numpy as np


def multi_head_attention(X, W_Q, W_K, W_V, W_O, num_heads):
    n = X.shape[0]

    def split(A):
        return A.reshape(n, num_heads, A.shape[1] // num_heads).transpose(1, 0, 2)

    Q, K, V = split(X @ W_Q), split(X @ W_K), split(X @ W_V)
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(-1, keepdims=True))
    P = E / E.sum(-1, keepdims=True)
    Z = (P @ V).transpose(1, 0, 2).reshape(n, -1)
    return Z @ W_O
