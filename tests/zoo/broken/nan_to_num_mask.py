"""title: nan_to_num turns minus infinity into zero
kind: algebraic
flaw: hidden scores of minus infinity are replaced by zero before the softmax
expected: REFUTED
function: attention
spec: mask=boolean
"""

import numpy as np


def attention(Q, K, V, mask):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    S = np.nan_to_num(S, neginf=0.0)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
