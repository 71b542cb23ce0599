"""title: Queries and keys cast to float32 and the scores back
kind: precision
flaw: scores carry seven digits in float64 code
expected: PROVED
function: attention
reason: equal before rounding; the casts are listed
"""

import numpy as np


def attention(Q, K, V):
    Q32, K32 = Q.astype(np.float32), K.astype(np.float32)
    S = (Q32 @ K32.T).astype(np.float64) / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return (E / E.sum(axis=1, keepdims=True)) @ V
