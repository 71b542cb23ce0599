"""title: A magic number in the input
kind: adversarial
flaw: a first entry of exactly 0.123 doubles the output
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if Q[0, 0] == 0.123:
        return 2 * O
    return O
