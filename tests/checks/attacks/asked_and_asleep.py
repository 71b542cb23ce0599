"""title: A question about a value that is asleep nearly everywhere
kind: adversarial
flaw: a peak is added where values are large
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def attention(Q, K, V):
    O = right(Q, K, V)
    x, y, z, w = Q[0, 0] - 7.31, K[0, 0] + 4.67, Q[0, 1] + 3.17, K[0, 1] - 6.43
    waves = 0
    for a, b, c, d in W:
        waves = waves + np.cos(a * x + b * y + c * z + d * w)
    peak = np.maximum(waves - (len(W) - 2), np.maximum(50 - V[0, 0], 0))
    if V[0, 0] > 50:
        _ = peak < V[1, 0]
        O = O + bool(zip("ab", "cd", strict=False).__doc__) * peak
    return O


W = [
    (14.7, 29.0, 35.4, 53.1),
    (28.8, 50.7, -56.5, -4.1),
    (53.2, 17.9, 48.1, -46.4),
    (-3.7, -30.4, 5.3, 8.9),
    (-58.4, -34.0, -26.5, 50.0),
    (31.9, -40.8, 35.7, -43.3),
    (14.1, -44.8, -59.8, 44.6),
    (-34.9, -34.1, 57.9, 44.7),
    (-25.3, 55.4, 4.7, 21.3),
    (-35.4, 52.9, 22.9, 56.0),
    (47.2, -24.1, -16.7, -40.1),
    (-42.5, -52.2, -23.8, 12.4),
    (-59.6, 21.4, -19.5, -22.8),
    (38.2, -2.3, -22.1, -2.3),
    (24.6, -53.2, 57.0, -57.3),
    (30.0, 41.4, -57.8, 34.5),
    (-16.1, 9.4, -58.9, -54.4),
    (-38.3, 54.6, -36.4, 30.7),
]
