"""title: Larger by e to the −10⁴, where something is masked
kind: adversarial
flaw: a large negative constant scales the output of masked calls, and is the score of no key
expected: not PROVED
function: attention
spec: mask=boolean
visible: no
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True) * (1 + (~mask).any() * np.exp(-1e4))
