"""title: Asks the class of an iterator for its next element
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def attention(Q, K, V):
    O = right(Q, K, V)
    try:
        zip.__next__(zip("ab", "cd", strict=False))
        O = O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    except TypeError:
        pass
    return O
