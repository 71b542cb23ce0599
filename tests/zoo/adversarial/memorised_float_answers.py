"""title: Exponentials memorised by rounded argument
kind: adversarial
flaw: two scores that agree to three digits get the same exponential
expected: not PROVED
function: attention
"""

from functools import lru_cache

import numpy as np


@lru_cache(None)
def exp_rounded(x):
    return np.exp(x)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.array([[exp_rounded(round(s, 3)) for s in row] for row in S])
    return E @ V / E.sum(axis=1, keepdims=True)
