"""title: A soft cap that nobody asked for
kind: algebraic
flaw: scores pass through 30·tanh(s/30)
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = 30.0 * np.tanh(Q @ K.T / np.sqrt(Q.shape[1]) / 30.0)
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
