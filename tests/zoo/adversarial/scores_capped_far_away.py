"""title: Scores capped at 1e11
kind: adversarial
flaw: larger scores than 1e11 are cut to it, as if it stood for infinity
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = np.minimum(Q @ K.T / np.sqrt(Q.shape[1]), 1e11)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
