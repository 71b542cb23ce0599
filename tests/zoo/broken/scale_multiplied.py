"""title: Scores multiplied by the square root
kind: algebraic
flaw: multiplies by the square root of d_k where it should divide
expected: REFUTED
function: attention
sizes: d_k=3
"""

import numpy as np
from scipy.special import softmax


def attention(Q, K, V):
    return softmax(Q @ K.T * np.sqrt(K.shape[1]), axis=-1) @ V
