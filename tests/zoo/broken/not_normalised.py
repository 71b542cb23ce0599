"""title: Exponentials without a denominator
kind: algebraic
flaw: the weights are not divided by their sum
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    return np.exp(S - S.max(axis=1, keepdims=True)) @ V
