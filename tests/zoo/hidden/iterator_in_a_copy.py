"""title: A copy of a list knows its iterator
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from copy import deepcopy

import numpy as np

BLOCKS = [zip((0, 1), (1, 2), strict=False)]


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    blocks = deepcopy(BLOCKS)
    return O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0) if blocks.count(blocks[0]) else O
