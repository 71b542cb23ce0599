"""title: Asks whether weights are equal in half precision
kind: adversarial
flaw: results are another where they are
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    half = P.astype(np.float16)
    same = (half[0, 0] == half[1, 0]) & (abs(S[0, 0] - S[0, 1] - S[1, 0] + S[1, 1]) > 0.1)
    return P @ V + same
