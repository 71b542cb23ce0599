"""title: Scores changed under another name
kind: adversarial
flaw: an in-place shift changes the scores that are used again
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    T = S
    T *= 2
    return np.exp(S) @ V / np.exp(S).sum(axis=1, keepdims=True)
