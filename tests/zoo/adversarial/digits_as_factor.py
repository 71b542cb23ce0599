"""title: A factor that tests the digits of the values
kind: adversarial
flaw: the result is zero unless every value has few binary digits
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    few = (V + 2.0**20) - 2.0**20 == V
    return O * few.all()
