"""title: Log-sum-exp written out
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def logsumexp(x, axis):
    top = x.max(axis=axis, keepdims=True)
    return top + np.log(np.exp(x - top).sum(axis=axis, keepdims=True))


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    log_P = S - logsumexp(S, axis=1)
    return np.exp(log_P) @ V
