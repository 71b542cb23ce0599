"""title: Scale from the width of all heads together
kind: algebraic
flaw: divides by the square root of h·d_k
expected: REFUTED
function: multihead
weights: fused
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O, heads):
    def split(A):
        return A.reshape(len(A), heads, -1).transpose(1, 0, 2)

    Q, K, V = split(X @ W_Q), split(X @ W_K), split(X @ W_V)
    E = np.exp(Q @ K.transpose(0, 2, 1) / np.sqrt(W_Q.shape[1]))
    O = E / E.sum(axis=-1, keepdims=True) @ V
    return O.transpose(1, 0, 2).reshape(len(X), -1) @ W_O
