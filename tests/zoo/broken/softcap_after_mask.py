"""title: Soft cap applied after the mask
kind: algebraic
flaw: minus infinity becomes minus the cap, so hidden keys keep a weight
expected: REFUTED
function: attention
spec: mask=boolean
source: onnx #7865, #7867
"""

import numpy as np


def attention(Q, K, V, mask, cap=5.0):
    S = np.where(mask, Q @ K.T / np.sqrt(Q.shape[1]), -np.inf)
    S = cap * np.tanh(S / cap)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
