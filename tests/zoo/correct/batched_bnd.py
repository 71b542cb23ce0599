"""title: A batch of single heads
kind: correct
flaw: none
expected: PROVED
function: attention
layout: bnd
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.swapaxes(-1, -2) / np.sqrt(Q.shape[-1])
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return E @ V / E.sum(axis=-1, keepdims=True)
