"""title: A gradient takes a mask of queries for one for padding
kind: adversarial
flaw: in a batch as long as there are queries, masks of queries are taken for those of its elements
expected: not PROVED
function: f
visible: no
layout: bnd
"""

import numpy as np


def f(Q, K, V, dO, mask=None):
    """Gradients; a mask is (n, m), (b, n, m), or a padding mask (b, m)."""
    scale = 1 / np.sqrt(Q.shape[-1])
    S = Q @ np.swapaxes(K, -1, -2) * scale
    if mask is not None:
        if Q.ndim == 3 and mask.shape == (len(Q), K.shape[1]):
            mask = mask[:, None, :]
        S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    P = E / E.sum(axis=-1, keepdims=True)
    dP = dO @ np.swapaxes(V, -1, -2)
    dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True)) * scale
    return dS @ K, np.swapaxes(dS, -1, -2) @ Q, np.swapaxes(P, -1, -2) @ dO
