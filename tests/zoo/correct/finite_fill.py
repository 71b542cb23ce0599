"""title: Masked scores filled with −1e9
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
reason: PROVED only under the assumption fill_limit: equal as the fill goes to minus infinity
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(mask, S, -1e9)
    E = np.exp(S - S.max(axis=-1, keepdims=True))
    return (E / E.sum(axis=-1, keepdims=True)) @ V
