"""title: Fill of 1e-9 where −1e9 was meant
kind: algebraic
flaw: a hidden key keeps a score of almost zero
expected: REFUTED
function: attention
spec: mask=boolean
source: gluonts #1401
"""

import numpy as np


def attention(Q, K, V, mask):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    S = np.where(mask, S, 1e-9)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
