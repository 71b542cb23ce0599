"""title: Log-sum-exp from SciPy, then one exponential
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np
from scipy.special import logsumexp


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    return np.exp(S - logsumexp(S, axis=1, keepdims=True)) @ V
