"""title: Heads take a mask of queries for one for padding
kind: adversarial
flaw: in a batch as long as there are queries, masks of queries are taken for those of its elements
expected: not PROVED
function: f
visible: no
layout: bhnd
"""

import numpy as np


def f(Q, K, V, mask=None):
    """Attention in heads (b, h, n, d); a mask is (n, m), (b, 1, n, m), (b, h, n, m), or a padding mask (b, m)."""
    b, d = Q.shape[0], Q.shape[-1]
    S = np.einsum("bhnd,bhmd->bhnm", Q, K) / np.sqrt(d)
    if mask is not None:
        if mask.shape == (b, K.shape[2]):
            mask = mask[:, None, None, :]
        S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
