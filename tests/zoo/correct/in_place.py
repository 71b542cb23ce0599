"""title: One array, changed in place from scores to weights
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    A = Q @ K.T
    A /= np.sqrt(Q.shape[1])
    A -= A.max(axis=1, keepdims=True)
    np.exp(A, A)
    A /= A.sum(axis=1, keepdims=True)
    return A @ V
