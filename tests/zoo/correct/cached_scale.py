"""title: The scale from a function with lru_cache
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=16)
def scale(d_k: int) -> float:
    return 1.0 / np.sqrt(d_k)


def attention(Q, K, V):
    E = np.exp(scale(Q.shape[1]) * (Q @ K.T))
    return E @ V / E.sum(axis=1, keepdims=True)
