"""title: Casts to float64 and asarray, which change nothing
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    Q, K = Q.astype(np.float64), K.astype(float, copy=False)
    S = np.float64(1.0) * (Q @ K.T) / np.sqrt(np.float64(Q.shape[1]))
    E = np.exp(S - S.max(axis=1, keepdims=True), dtype=np.float64)
    return (E / E.sum(axis=1, keepdims=True)) @ np.asarray(V, dtype=float)
