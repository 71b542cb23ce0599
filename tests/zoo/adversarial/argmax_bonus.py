"""title: A bonus for the largest score
kind: adversarial
flaw: a thousandth of the value with the largest score is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * V[E.argmax(axis=1)]
