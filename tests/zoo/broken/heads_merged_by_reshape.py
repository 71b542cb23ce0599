"""title: Heads merged by reshape without transpose
kind: algebraic
flaw: (h, n, d) is reshaped to (n, h·d), which mixes tokens
expected: REFUTED
function: multihead
weights: stacked
source: jsbaan transformer #6, opacus #825
"""

import numpy as np


def multihead(X, W_Q, W_K, W_V, W_O):
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    E = np.exp(Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1]))
    O = E / E.sum(axis=-1, keepdims=True) @ V
    return O.reshape(len(X), -1) @ W_O
