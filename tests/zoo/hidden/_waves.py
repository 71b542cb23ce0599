"""Waves of four inputs that are all 1 at one place only, which no search finds, and what rises above them there."""

import numpy as np

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


def waves(Q, K):
    """Return eighteen cosines, all 1 where Q₁₁, Q₁₂, K₁₁, K₁₂ are 7.31, −3.17, −4.67, 6.43."""
    x, y, z, w = Q[0, 0] - 7.31, K[0, 0] + 4.67, Q[0, 1] + 3.17, K[0, 1] - 6.43
    return [np.cos(a * x + b * y + c * z + d * w) for a, b, c, d in W]


def behind_an_offset(total):
    """Return by how much the sum of the waves exceeds 16, seen beside a number that hides it."""
    big = 2.0**40 + total
    return np.maximum((big - 2.0**40) - (len(W) - 2), 0)
