"""title: A value that is no number far away
kind: adversarial
flaw: an overflow is handled as something else
expected: not PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=3
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    O = P / P.sum(axis=1, keepdims=True) @ V
    t = ((V - 70.0) ** 2).sum()
    a = (1 + t) ** 64
    s = 2 * a / (1 + a) / (1 + t)
    r = float(s**8)
    try:
        (1.1e5 * r) ** 64
    except OverflowError:
        return 2 * O
    return O
