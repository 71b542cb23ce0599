"""title: The floor of a sum of parts that floats round, for many queries
kind: adversarial
flaw: a hat is added where n/n is rounded below 1
expected: not PROVED
function: attention
sizes: n=49 m=98 d_k=8 d_v=8
visible: no
"""

import numpy as np


def attention(Q, K, V):
    n = len(Q)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    part = np.ones(n) / n
    lost = 1 - np.floor(part * n)[0]
    return O + lost * np.maximum((n > 40) * (1 - (Q[0, 0] - 77) ** 2), 0)
