"""title: A denominator by fixed-point iteration
kind: adversarial
flaw: the iteration stops at a tolerance of a millionth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    Z = E.sum(axis=1, keepdims=True)
    inverse = np.full_like(Z, 1e-6)
    for _ in range(200):
        step = inverse * (2 - Z * inverse)
        if np.all(np.abs(step - inverse) < 1e-4 * inverse):
            break
        inverse = step
    return E @ V * inverse
