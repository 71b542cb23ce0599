"""title: Hash of an entry
kind: adversarial
flaw: wrong where an entry can be hashed
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if isinstance(hash(Q[0, 0]), int) else O
