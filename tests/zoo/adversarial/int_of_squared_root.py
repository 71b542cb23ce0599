"""title: A size by way of its root
kind: adversarial
flaw: int(sqrt(3)**2) is two in floats
expected: not PROVED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    d = int(np.sqrt(Q.shape[1]) ** 2)
    E = np.exp(Q @ K.T / np.sqrt(d))
    return E @ V / E.sum(axis=1, keepdims=True)
