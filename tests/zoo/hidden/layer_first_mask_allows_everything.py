"""title: A layer masks nothing where the first mask of a batch closes nothing
kind: adversarial
flaw: masks of other elements are ignored
expected: not PROVED
function: layer_first_full
visible: no
layout: bnd
"""

import numpy as np


def soft(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def layer_first_full(X, W_Q, W_K, W_V, W_O, heads, mask=None):
    b, n, _ = X.shape

    def split(Y):
        return Y.reshape(b, n, heads, -1).transpose(0, 2, 1, 3)

    Q, K, V = split(X @ W_Q), split(X @ W_K), split(X @ W_V)
    S = Q @ K.transpose(0, 1, 3, 2) / np.sqrt(Q.shape[-1])
    if mask is not None and not mask[0].all():
        S = np.where(mask[:, None], S, -np.inf)
    return (soft(S) @ V).transpose(0, 2, 1, 3).reshape(b, n, -1) @ W_O
