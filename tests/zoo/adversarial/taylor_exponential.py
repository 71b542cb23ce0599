"""title: A Taylor polynomial for exp
kind: adversarial
flaw: twelve terms of the series are exact enough only near zero
expected: not PROVED
function: attention
"""

import math

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = sum(S**k / math.factorial(k) for k in range(12))
    return E @ V / E.sum(axis=1, keepdims=True)
