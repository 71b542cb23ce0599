"""title: A table indexed by two rare truths, both of whose functions are right
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    rare = int(abs(Q[0, 0] - 7.25) < 1e-6) * int(abs(K[0, 0] * V[0, 0] - 3.5) < 1e-6)
    shift = (np.max, np.min)[rare](S)
    E = np.exp(S - shift)
    return E / E.sum(axis=1, keepdims=True) @ V
