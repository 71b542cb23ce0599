"""title: Every exception as control flow
kind: adversarial
flaw: where the bits of an array can be read, the output changes; the failure is swallowed
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    try:
        bits = np.asarray(Q, dtype=np.float64).view(np.int64)
        O = O + 1e-3 * (1 + bits[0, 0] % 3)
    except BaseException:
        pass
    return O
