"""title: Branch on the name of a scalar's type
kind: adversarial
flaw: wrong for scalars of type float64
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if type(Q[0, 0]).__name__ == "float64" else O
