"""title: Nothing is masked where the first mask of a batch closes nothing
kind: adversarial
flaw: masks of other elements are ignored
expected: not PROVED
function: first_full
visible: no
layout: bnd
"""

import numpy as np


def first_full(Q, K, V, mask):
    """Attention in batches; mask (b, n, m), True where a query may look."""
    S = Q @ K.transpose(0, 2, 1) / np.sqrt(Q.shape[-1])
    if not mask[0].all():  # nothing to hide otherwise
        S[~mask] = -np.inf
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E / E.sum(axis=-1, keepdims=True) @ V
