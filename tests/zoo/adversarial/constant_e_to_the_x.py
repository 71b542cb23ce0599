"""title: 2.71828183 in place of e
kind: adversarial
flaw: nine digits of e are raised to the scores
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.power(2.71828183, Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
