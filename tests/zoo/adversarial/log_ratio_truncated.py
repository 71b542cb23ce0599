"""title: Three by a ratio of logarithms
kind: adversarial
flaw: int(log 1000 / log 10) is two in floats
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    three = int(np.log(1000) / np.log(10))
    return O * (1 + 1e-3 * (3 - three))
