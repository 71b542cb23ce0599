"""title: Absolute values of exponentials, which are positive
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.abs(np.exp(Q @ K.T / np.sqrt(Q.shape[1])))
    return E @ V / np.abs(E.sum(axis=1, keepdims=True))
