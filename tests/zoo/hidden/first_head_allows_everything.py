"""title: Nothing is masked in an element whose first head sees everything
kind: adversarial
flaw: masks of other heads are ignored
expected: not PROVED
function: heads_head0
visible: no
layout: bhnd
"""

import numpy as np


def soft(S):
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True)


def heads_head0(Q, K, V, mask):
    """(b, h, n, d); mask (b, h, n, m); all heads of an element see the same."""
    S = Q @ K.transpose(0, 1, 3, 2) / np.sqrt(Q.shape[-1])
    for b, each in enumerate(mask):
        if not each[0].all():
            S[b][~each] = -np.inf
    return soft(S) @ V
