"""title: Mantissa bits cleared
kind: adversarial
flaw: the lower forty bits of each output are cleared
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return (O.view(np.uint64) & np.uint64(0xFFFFFF0000000000)).view(np.float64)
