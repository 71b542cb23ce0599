"""title: Hidden scores filled with −50
kind: adversarial
flaw: hidden keys keep a weight of about e to the −50, more when scores are low
expected: not PROVED
function: attention
spec: mask=boolean
visible: no
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -50.0)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
