"""title: Softmax over all scores at once
kind: algebraic
flaw: the denominator is the sum over all queries
expected: REFUTED
function: attention
"""

import numpy as np
from scipy.special import softmax


def attention(Q, K, V):
    return softmax(Q @ K.T / np.sqrt(K.shape[1])) @ V
