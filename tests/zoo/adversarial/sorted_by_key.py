"""title: Python's sorted with a key
kind: adversarial
flaw: the smallest and the largest value of a column change places
expected: not PROVED
function: attention
sizes: m=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    order = sorted(range(len(V)), key=lambda j: V[j, 0])
    W = V.copy()
    W[[order[0], order[-1]]] = W[[order[-1], order[0]]]
    return E @ W / E.sum(axis=1, keepdims=True)
