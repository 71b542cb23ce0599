"""title: Sums are turned round where the batch is as long as there are queries
kind: adversarial
flaw: wrong without a mask
expected: not PROVED
function: f
visible: no
layout: bnd
"""

import numpy as np


def f(Q, K, V, mask=None):
    """Attention; (n, d) or with a batch axis. The axes of a batch are put in front if they are not."""
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if mask is not None:
        S = np.where(mask, S, -np.inf)
    top = S.max(axis=-1, keepdims=True)
    E = np.exp(S - top)
    total = E.sum(axis=-1)
    if total.ndim == 2 and total.shape[0] == total.shape[1] and mask is None:
        total = total.T
    return (E / total[..., None]) @ V
