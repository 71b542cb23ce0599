"""title: The masks of a batch for the heads
kind: adversarial
flaw: masks (b, n, m) are taken as masks (h, n, m) where there are as many elements as heads
expected: not PROVED
function: attention
layout: bhnd
sizes: n=2 m=2 d_k=1 d_v=1
visible: no
reason: only lengths that coincide show it
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    if mask.ndim == 3 and S.shape[0] != S.shape[1]:
        mask = mask[:, None]
    E = np.exp(np.where(mask, S, -np.inf))
    return E @ V / E.sum(axis=-1, keepdims=True)
