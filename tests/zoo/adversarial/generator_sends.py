"""title: A generator that a rare value ends
kind: adversarial
flaw: where one query is near a number the last key is dropped
expected: not PROVED
function: attention
visible: no
"""

import itertools

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    most = len(K) - (0, 1)[bool(abs(Q[0, 0] - 7.25) < 1e-9) * (len(K) > 1)]
    keep = list(itertools.takewhile(lambda j: j < most, range(len(K))))
    return E[:, keep] @ V[keep] / E[:, keep].sum(axis=1, keepdims=True)
