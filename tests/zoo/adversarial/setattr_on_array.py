"""title: An attribute set on an array
kind: adversarial
flaw: where arrays refuse new attributes the answer differs
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    try:
        O.note = 1
    except AttributeError:
        return O * 1.001
    return O
