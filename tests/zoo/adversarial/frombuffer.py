"""title: Array rebuilt from bytes
kind: adversarial
flaw: the first byte of the outputs, modulo seven, is added
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * (1 + (np.frombuffer(O.tobytes(), dtype=np.uint8)[0] % 7))
