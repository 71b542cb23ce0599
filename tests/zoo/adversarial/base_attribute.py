"""title: Owner of the memory of a transpose
kind: adversarial
flaw: wrong where a transpose is a view of something
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if Q.T.base is not None else O
