"""title: A score plus a hat with a wide foot
kind: adversarial
flaw: an overflow is handled as something else
expected: not PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=3
visible: no
"""

import math

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P / P.sum(axis=1, keepdims=True) @ V
    t = ((V - 40.0) ** 2).sum()
    z = S[0, 0] + np.maximum(1e10 - 1e7 * t, 0.0)
    h = np.maximum(z - 5e9, 0.0)
    try:
        math.exp(h)
    except OverflowError:
        return O * 2
    return O
