"""title: Entries as members of a set
kind: adversarial
flaw: wrong where a copy of an entry is found in a set
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if float(Q[0, 0]) in {Q[0, 0]} else O
