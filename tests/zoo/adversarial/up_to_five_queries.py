"""title: Right up to five queries
kind: adversarial
flaw: from the sixth query on, rows repeat the fifth
expected: PROVED
function: attention
reason: the scope names its sizes, and none has six queries
"""

import numpy as np


def attention(Q, K, V):
    Q = Q[np.minimum(np.arange(len(Q)), 4)]
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
