"""title: Decimal arithmetic on an entry
kind: adversarial
flaw: an entry, to two decimals, is added
expected: not PROVED
function: attention
"""

import decimal

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    step = decimal.Decimal(float(Q[0, 0])).quantize(decimal.Decimal("0.01"))
    return O + 1e-3 * (1 + float(step))
