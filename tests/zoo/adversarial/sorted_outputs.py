"""title: Columns of the outputs sorted
kind: adversarial
flaw: each row of the output is sorted
expected: not PROVED
function: attention
sizes: d_v=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.sort(O, axis=1)
