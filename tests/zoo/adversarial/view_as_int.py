"""title: Bits of the outputs
kind: adversarial
flaw: the lowest bits decide a thousandth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * (1.0 + 1e-3 * (1 + O.copy().view(np.int64) % 2))
