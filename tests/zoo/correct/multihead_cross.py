"""title: Multi-head cross-attention
kind: correct
flaw: none
expected: PROVED
function: multihead
weights: stacked
sizes: m=5
"""

import numpy as np


def multihead(X, X_KV, W_Q, W_K, W_V, W_O):
    Q, K, V = X @ W_Q, X_KV @ W_K, X_KV @ W_V
    S = Q @ K.mT / np.sqrt(K.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    O = E @ V / E.sum(axis=-1, keepdims=True)
    return np.moveaxis(O, 0, 1).reshape(len(X), -1) @ W_O
