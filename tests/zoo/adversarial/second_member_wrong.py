"""title: Output right, returned weights not
kind: adversarial
flaw: the weights that are returned are exponentials that were never divided
expected: not PROVED
function: attention
returns: O,P
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True), E
