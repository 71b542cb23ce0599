"""title: Scores clipped to ±20
kind: adversarial
flaw: scores beyond 20 are cut
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = np.clip(Q @ K.T / np.sqrt(Q.shape[1]), -20, 20)
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
