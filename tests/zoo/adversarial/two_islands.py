"""title: A branch that is taken near a point, and far away
kind: adversarial
flaw: an underflow far away is handled as something else
expected: not PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=3
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S)
    O = P @ V / P.sum(axis=1, keepdims=True)
    x, w = V[0, 0], V[-1, 0]
    needle = (x - 1) ** 2 + (w - 2) ** 2
    t = ((x + 700) ** 2 + (w - 500) ** 2) / 100
    g = 1e-19 - needle * (1 - 2 / (1 + t))
    if g > 0:
        y = np.exp(-1000 / (1 + t))
        return np.where(y == 0, 2 * O, O)
    return O
