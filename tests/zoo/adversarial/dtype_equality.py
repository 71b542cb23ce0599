"""title: Branch on the dtype
kind: adversarial
flaw: wrong for float64 arrays, the only ones that users have
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if Q.dtype == np.float64 else O
