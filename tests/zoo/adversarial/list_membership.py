"""title: Entries searched in a list
kind: adversarial
flaw: wrong where an equal number is found in a list
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if (Q[0, 0] + 0.0) in Q.ravel().tolist() else O
