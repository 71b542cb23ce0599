"""title: The length of a range with a rounded step, for many queries
kind: adversarial
flaw: a hat is added where the range has one member more
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
    grid = np.arange(0.0, 1.0, np.float64(1) / n)
    gap = grid[-1] - (n - 1) * (np.float64(1) / n)
    return O + n * gap * np.maximum((n > 40) * (1 - (Q[0, 0] - 77) ** 2), 0)
