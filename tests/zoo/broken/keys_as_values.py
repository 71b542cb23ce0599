"""title: Keys averaged in place of values
kind: algebraic
flaw: the weights are applied to the keys
expected: REFUTED
function: attention
sizes: d_k=2 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ K / E.sum(axis=1, keepdims=True)
