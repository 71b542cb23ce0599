"""title: Branch that ordinary inputs never reach
kind: adversarial
flaw: scores above 50 are treated as if they were 50
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    S = Q @ K.T / np.sqrt(Q.shape[1])
    if S.max() > 50:
        S = np.minimum(S, 50)
        E = np.exp(S)
        return E @ V / E.sum(axis=1, keepdims=True)
    return O
