"""title: The axes of batch and heads of a mask are exchanged where both are alike
kind: adversarial
flaw: masks of other units are taken
expected: not PROVED
function: attention
visible: no
layout: bhnd
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ np.swapaxes(K, -1, -2) / np.sqrt(Q.shape[-1])
    if mask.ndim == 4 and mask.shape[0] == mask.shape[1]:
        mask = np.swapaxes(mask, 0, 1)
    S = np.where(mask, S, -np.inf)
    P = np.exp(S - S.max(axis=-1, keepdims=True))
    return P @ V / P.sum(axis=-1, keepdims=True)
