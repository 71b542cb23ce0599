"""title: One tenth in two precisions
kind: adversarial
flaw: the float32 nearest to a tenth is not the float64 nearest to it
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.float64(np.float32(0.1)) != 0.1 else O
