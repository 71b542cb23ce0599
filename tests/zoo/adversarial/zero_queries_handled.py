"""title: Zero queries short-cut to the mean, which is right
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    if not Q.any():
        return np.repeat(V.mean(axis=0, keepdims=True), len(Q), axis=0)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
