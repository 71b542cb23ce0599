"""title: Epsilon in a logarithm
kind: adversarial
flaw: 1e-7 is added before the logarithm
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return np.exp(np.log(E) - np.log(E.sum(axis=1, keepdims=True) + 1e-7)) @ V
