"""title: A mask of two axes is one for padding wherever its shape allows that
kind: adversarial
flaw: in a batch as long as there are queries, masks of queries are taken for those of its elements
expected: not PROVED
function: f
visible: no
layout: bnd
"""

import numpy as np


def f(Q, K, V, mask=None):
    """Attention over a batch; a mask is (n, m), (b, n, m), or a padding mask (b, m)."""
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if mask is not None:
        if mask.ndim == 2 and Q.ndim == 3 and mask.shape == (len(Q), K.shape[-2]):
            mask = mask[:, None, :]  # padding: one row for each sequence
        S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
