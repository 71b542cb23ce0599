"""title: Cast to whole numbers
kind: adversarial
flaw: the whole parts of the outputs are added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * (100 * O).astype(int)
