"""title: Two keys: the sigmoid of the difference, by tanh
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: m=2
"""

import numpy as np


def attention(Q, K, V):
    gap = Q @ (K[0] - K[1]) / np.sqrt(Q.shape[1])
    p = 0.5 * (1.0 + np.tanh(gap / 2))
    return p[:, None] * V[0] + (1 - p)[:, None] * V[1]
