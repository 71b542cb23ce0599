"""title: The keys that a query sees are gathered, as many as the first element has
kind: adversarial
flaw: keys of other elements are left out
expected: not PROVED
function: equal_counts
visible: no
layout: bnd
"""

import numpy as np


def soft(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def equal_counts(Q, K, V, mask):
    """Ragged batches by gathering the keys that each query sees, as many as the first sequence has."""
    b, n, _ = mask.shape
    scale = 1 / np.sqrt(Q.shape[-1])
    O = np.empty((b, n, V.shape[2]))
    most = int(mask[0].sum(axis=1).max())
    for e in range(b):
        for i in range(n):
            seen = np.flatnonzero(mask[e, i])[:most]
            S = K[e, seen] @ Q[e, i] * scale
            O[e, i] = soft(S) @ V[e, seen]
    return O
