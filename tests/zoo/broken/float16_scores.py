"""title: Unscaled scores in float16
kind: precision
flaw: scores are held in half precision before they are scaled, and overflow from 65520
expected: PROVED
function: attention
source: ultralytics #24990, pytorch #119131
"""

import numpy as np


def attention(Q, K, V):
    S = (Q @ K.T).astype(np.float16).astype(np.float64) / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
