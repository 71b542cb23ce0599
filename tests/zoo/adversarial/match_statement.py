"""title: Structural pattern matching on a class
kind: adversarial
flaw: a class pattern for float matches the entries of ordinary arrays
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    match Q[0, 0]:
        case float():
            return O * 1.001
        case _:
            return O
