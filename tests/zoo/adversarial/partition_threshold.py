"""title: The smallest score of a row dropped by np.partition
kind: adversarial
flaw: the key with the smallest score gets no weight
expected: not PROVED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    least = np.partition(S, 0, axis=1)[:, :1]
    E = np.where(least < S, np.exp(S), 0.0)
    return E @ V / E.sum(axis=1, keepdims=True)
