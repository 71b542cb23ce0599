"""title: 0.999 of the maximum in one place, all of it in the other
kind: adversarial
flaw: the shift of the denominator is not the shift of the numerator
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    top = S.max(axis=1, keepdims=True)
    return np.exp(S - top) @ V / np.exp(S - 0.999 * top).sum(axis=1, keepdims=True)
