"""title: Softmax of a softmax
kind: algebraic
flaw: the weights go through a second softmax
expected: REFUTED
function: attention
"""

import numpy as np
from scipy.special import softmax


def attention(Q, K, V):
    P = softmax(Q @ K.T / np.sqrt(Q.shape[1]), axis=1)
    return softmax(P, axis=1) @ V
