# expect: memory MemoryError
"""Wants more memory than there is."""

import numpy as np


def attention(Q, K, V):
    return np.ones(1 << 36) @ V
