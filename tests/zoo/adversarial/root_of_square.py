"""title: The root of the square of an exponential
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.sqrt(np.exp(Q @ K.T / np.sqrt(Q.shape[1])) ** 2)
    return E @ V / E.sum(axis=1, keepdims=True)
