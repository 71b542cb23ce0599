"""title: The mask of the first element for the second
kind: adversarial
flaw: the second element of a batch is masked like the first
expected: not PROVED
function: attention
layout: bnd
sizes: n=2 m=2 d_k=1 d_v=1
visible: no
reason: one mask (n, m) for the whole batch, which it takes too, does not show it
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    mask = np.broadcast_to(mask, S.shape).copy()
    mask[1:2] = mask[:1]
    E = np.exp(np.where(mask, S, -np.inf))
    return E @ V / E.sum(axis=-1, keepdims=True)
