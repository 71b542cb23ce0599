"""title: Entries as keys of a dictionary
kind: adversarial
flaw: wrong where the value is found again by an equal key
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if dict.fromkeys(Q.ravel(), 1).get(Q[0, 0] * 1) == 1 else O
