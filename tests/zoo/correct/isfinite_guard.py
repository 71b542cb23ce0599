"""title: Empty rows guarded by isfinite, their result zero
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean empty_row=zero
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    top = S.max(axis=1, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    E = np.exp(S - top)
    Z = E.sum(axis=1, keepdims=True)
    return E @ V / np.where(Z == 0, 1.0, Z)
