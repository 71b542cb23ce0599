"""title: A layer takes a mask of queries for one for padding
kind: adversarial
flaw: in a batch as long as there are queries, masks of queries are taken for those of its elements
expected: not PROVED
function: f
visible: no
layout: bnd
"""

import numpy as np


def f(X, W_Q, W_K, W_V, mask=None):
    """Self-attention; a mask is (n, n), (b, n, n), or a padding mask (b, n)."""
    Q, K, V = X @ W_Q, X @ W_K, X @ W_V
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if mask is not None:
        if X.ndim == 3 and mask.shape == X.shape[:2]:
            mask = mask[:, None, :]
        S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
