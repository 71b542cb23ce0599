"""title: Branch on the buffer interface
kind: adversarial
flaw: wrong for arrays with memory of their own
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if hasattr(Q, "__array_interface__") else O
