"""title: −100 added to hidden scores
kind: adversarial
flaw: a hidden key with a high score shines through
expected: not PROVED
function: attention
spec: mask=boolean
visible: no
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1]) - 100.0 * ~mask
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
