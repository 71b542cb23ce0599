"""title: All heads in one matrix of scores, other heads masked away
kind: correct
flaw: none
expected: PROVED
function: multihead
weights: fused
fails: range
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O, num_heads):
    n = len(X)

    def stack(A):
        return np.concatenate(np.split(A, num_heads, axis=1), axis=0)

    Q, K, V = stack(X @ W_Q), stack(X @ W_K), stack(X @ W_V)
    same_head = np.kron(np.eye(num_heads), np.ones((n, n))).astype(bool)
    E = np.where(same_head, np.exp(Q @ K.T / np.sqrt(Q.shape[1])), 0.0)
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.concatenate(np.split(O, num_heads, axis=0), axis=1) @ W_O
