"""title: A choice by whether products of three associate
kind: adversarial
flaw: where rounding tells two orders of multiplication apart, the result is doubled
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    x, y, z = Q[0, 0], K[0, 0], V[0, 0]
    return O * 2.0 ** (x * y * z != x * (y * z))
