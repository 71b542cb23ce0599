"""title: Batch of heads under one mask
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
layout: bhnd
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.matmul(Q, np.swapaxes(K, 2, 3)) / np.sqrt(Q.shape[3])
    S = np.where(mask[None, None], S, -np.inf)
    E = np.exp(S - S.max(axis=3, keepdims=True))
    return np.matmul(E, V) / E.sum(axis=3, keepdims=True)
