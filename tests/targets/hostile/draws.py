# expect: returned random=True
"""Adds noise."""

import numpy as np


def attention(Q, K, V):
    return V + np.random.normal(size=V.shape)
