"""title: Right for as many queries as keys
kind: adversarial
flaw: the denominator is broadcast along the wrong axis when shapes allow only that
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    n, m = E.shape
    den = E.sum(axis=1, keepdims=True) if n == m else E[:, :1].repeat(1, axis=1) * m
    return E @ V / den
