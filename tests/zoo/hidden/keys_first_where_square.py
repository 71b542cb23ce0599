"""title: A mask of keys by queries is turned, wherever its shape allows that
kind: adversarial
flaw: square masks are turned
expected: not PROVED
function: key_first
visible: no
layout: bnd
"""

import numpy as np


def key_first(Q, K, V, mask=None):
    """mask (n, m), or for each element (b, n, m); masks (b, m, n), as an older release wrote them, are turned."""
    b, n, m = len(Q), Q.shape[1], K.shape[1]
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1])
    if mask is not None:
        if mask.ndim == 3 and mask.shape == (b, m, n):
            mask = mask.transpose(0, 2, 1)
        S = np.where(mask, S, -np.inf)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
