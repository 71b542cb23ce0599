"""title: Output projection transposed
kind: algebraic
flaw: the concatenation is multiplied by the transpose of W_O
expected: REFUTED
function: multihead
weights: stacked
sizes: heads=2 d_v=2 d_model=4 d_out=4
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    E = np.exp(np.einsum("hnk,hmk->hnm", Q, K) / np.sqrt(Q.shape[-1]))
    O = E / E.sum(axis=-1, keepdims=True) @ V
    return np.concatenate(list(O), axis=1) @ W_O.T
