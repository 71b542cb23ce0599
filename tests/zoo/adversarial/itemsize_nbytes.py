"""title: Bytes of an array
kind: adversarial
flaw: wrong where the array holds eight bytes an entry
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if memoryview(Q).nbytes == 8 * Q.size else O
