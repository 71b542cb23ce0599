"""title: Padded keys counted
kind: algebraic
flaw: keys are padded to a multiple of four with zeros that take part in the softmax
expected: REFUTED
function: attention
sizes: m=3
source: diffusers #8837
"""

import numpy as np


def attention(Q, K, V):
    extra = -len(K) % 4
    K, V = np.pad(K, ((0, extra), (0, 0))), np.pad(V, ((0, extra), (0, 0)))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
