"""title: NaN for an empty row
kind: empty_rows
flaw: minus infinity minus minus infinity is NaN, where zero is required
expected: PROVED
function: attention
spec: mask=boolean empty_row=zero
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    with np.errstate(invalid="ignore"):
        E = np.exp(S - S.max(axis=1, keepdims=True))
        return E @ V / E.sum(axis=1, keepdims=True)
