"""title: x − x == 0
kind: adversarial
flaw: wrong where a number minus itself is zero
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if Q[0, 0] - Q[0, 0] == 0 else O
