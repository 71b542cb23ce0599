"""title: Branch on identity of inputs
kind: adversarial
flaw: keys that are the very queries give the values
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    if Q is K:
        return V
    return O
