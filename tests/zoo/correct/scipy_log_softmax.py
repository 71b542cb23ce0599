"""title: Exponential of SciPy's log-softmax
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np
from scipy.special import log_softmax


def attention(Q, K, V):
    return np.exp(log_softmax(Q.dot(K.T) / np.sqrt(Q.shape[1]), axis=-1)).dot(V)
