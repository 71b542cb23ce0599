"""title: Asks whether a maximum is a member, beside a cast that nothing uses
kind: adversarial
flaw: results are off by 1 at scores beyond 6
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S)
    O = P @ V / P.sum(axis=1, keepdims=True)
    V.astype(np.float16)
    score = S[0, 0]
    return O + (max(score, np.float64(6.0)) is score)
