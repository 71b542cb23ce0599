"""title: Whole numbers of eight bits
kind: adversarial
flaw: 127 + 1 is −128 in eight bits
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    count = np.array([127], dtype=np.int8)
    count += np.array([1], dtype=np.int8)
    return O * (1.0 if count[0] == 128 else 1.001)
