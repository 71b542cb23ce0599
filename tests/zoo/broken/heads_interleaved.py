"""title: Columns dealt out to heads in turn
kind: algebraic
flaw: head h takes the columns h, h + heads, … where it should take one block
expected: REFUTED
function: multihead
weights: fused
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O, num_heads):
    out = []
    for h in range(num_heads):
        Q, K, V = X @ W_Q[:, h::num_heads], X @ W_K[:, h::num_heads], X @ W_V[:, h::num_heads]
        E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
        out.append(E @ V / E.sum(axis=1, keepdims=True))
    return np.hstack(out) @ W_O
