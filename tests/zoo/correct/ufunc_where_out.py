"""title: Exponentials only where the mask permits, by where= and out=
kind: correct
flaw: none
expected: PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    top = np.max(S, axis=1, keepdims=True, where=mask, initial=-np.inf)
    E = np.zeros_like(S)
    np.exp(S - top, out=E, where=mask)
    Z = np.sum(E, axis=1, keepdims=True, where=mask)
    return np.true_divide(E, Z) @ V
