"""title: Count of entries that are not zero
kind: adversarial
flaw: wrong where all entries count
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if np.count_nonzero(Q) == Q.size else O
