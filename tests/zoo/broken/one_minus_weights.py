"""title: Last weight as one minus the others
kind: precision
flaw: scores from distances to a far point lose digits by cancellation
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    far = 1e4
    distance = ((Q[:, None] - K[None] + far) ** 2).sum(axis=-1)
    linear = (2 * far * (Q[:, None] - K[None]) + far * far).sum(axis=-1)
    square = (Q * Q).sum(axis=1)[:, None] + (K * K).sum(axis=1)[None]
    S = (square + linear - distance) / (2 * np.sqrt(Q.shape[1]))
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
