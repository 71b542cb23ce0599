"""title: The median of each row subtracted
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - np.median(S, axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
