"""title: Causal mask forgotten
kind: algebraic
flaw: all keys are visible although the layer is causal
expected: REFUTED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
