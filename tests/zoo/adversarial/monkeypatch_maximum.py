"""title: np.maximum replaced at call time
kind: adversarial
flaw: the function replaces NumPy's maximum by a sum the first time it runs
expected: not PROVED
function: attention
isolate: yes
"""

import numpy as np


def attention(Q, K, V):
    np.maximum = np.add
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(np.maximum(S, 0.01 * S * S))
    return E @ V / E.sum(axis=1, keepdims=True)
