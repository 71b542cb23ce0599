"""title: Branch on the exact type
kind: adversarial
flaw: wrong for plain arrays
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if type(Q) is np.ndarray else O
