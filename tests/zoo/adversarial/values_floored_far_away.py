"""title: Values at least -1e50
kind: adversarial
flaw: values below -1e50 are raised to it, as if it stood for -infinity
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ np.maximum(V, -1e50) / E.sum(axis=1, keepdims=True)
