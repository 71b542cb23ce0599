"""title: Dropout that is off by default
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V, dropout=0.0):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = E / E.sum(axis=1, keepdims=True)
    if dropout > 0:
        P = P * (np.random.default_rng().random(P.shape) >= dropout) / (1 - dropout)
    return P @ V
