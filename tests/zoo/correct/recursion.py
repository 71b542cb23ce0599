"""title: Divide and conquer over the keys, unshifted numerators and denominators
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def partial(Q, K, V, scale):
    if len(K) == 1:
        e = np.exp(Q @ K[0] * scale)
        return e[:, None] * V[0], e
    half = len(K) // 2
    num_a, den_a = partial(Q, K[:half], V[:half], scale)
    num_b, den_b = partial(Q, K[half:], V[half:], scale)
    return num_a + num_b, den_a + den_b


def attention(Q, K, V):
    num, den = partial(Q, K, V, Q.shape[1] ** -0.5)
    return num / den[:, None]
