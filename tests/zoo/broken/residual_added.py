"""title: A residual connection inside
kind: algebraic
flaw: the embeddings are added to the projected output
expected: REFUTED
function: multihead
weights: stacked
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    E = np.exp(Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1]))
    O = E / E.sum(axis=-1, keepdims=True) @ V
    return X + np.concatenate(list(O), axis=1) @ W_O
