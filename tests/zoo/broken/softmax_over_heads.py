"""title: Softmax over the heads
kind: algebraic
flaw: axis 0 of stacked heads is normalised in place of the keys
expected: REFUTED
function: multihead
weights: stacked
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    E = np.exp(Q @ K.swapaxes(1, 2) / np.sqrt(Q.shape[-1]))
    P = E / E.sum(axis=0)
    return np.concatenate(list(P @ V), axis=1) @ W_O
