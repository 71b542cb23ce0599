"""title: Right for an even number of queries
kind: adversarial
flaw: with an odd number the last query gets the first value
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if len(Q) % 2:
        O[-1] = V[0]
    return O
