"""title: A mask of eight-bit whole numbers minus one
kind: adversarial
flaw: zero minus one is 255 in eight bits, so hidden keys are raised in place of lowered
expected: not PROVED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    bias = (mask.astype(np.uint8) - np.uint8(1)) * 1e9
    S = Q @ K.T / np.sqrt(Q.shape[1]) + bias
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
