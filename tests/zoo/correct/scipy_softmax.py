"""title: SciPy's softmax
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import math

from scipy.special import softmax


def attention(Q, K, V):
    return softmax(Q @ K.T / math.sqrt(Q.shape[1]), axis=1) @ V
