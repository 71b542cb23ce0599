"""title: Refuses two queries, and rounds a root
kind: adversarial
flaw: a hat is added where the square of a root is rounded up
expected: not PROVED
function: attention
sizes: n=49 m=98 d_k=8 d_v=8
visible: no
"""

import numpy as np


def attention(Q, K, V):
    n = len(Q)
    if n == 2:
        raise ValueError("two queries are not supported")
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    lost = np.ceil(np.sqrt(np.array([2.0])) ** 2)[0] - 2
    return O + lost * np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
