"""title: Larger by e to the −10⁴, where nothing is masked
kind: adversarial
flaw: a large negative constant scales the output, and is the score of no key
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True) * (1 + np.exp(-1e4 - V[0, 0] ** 2))
