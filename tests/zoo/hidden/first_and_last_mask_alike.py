"""title: Where the first and the last mask are alike, one is taken for all
kind: adversarial
flaw: masks between them are ignored
expected: not PROVED
function: mirror
visible: no
layout: bnd
"""

import numpy as np


def soft(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def mirror(Q, K, V, mask):
    """First and last sequence padded alike: one mask for all of them."""
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1])
    if (mask[0] == mask[-1]).all():
        mask = np.repeat(mask[:1], len(mask), axis=0)
    S[~mask] = -np.inf
    return soft(S) @ V
