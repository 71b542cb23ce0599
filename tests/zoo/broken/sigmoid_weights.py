"""title: Sigmoid weights, normalised
kind: algebraic
flaw: the logistic function takes the place of exp
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    A = 1 / (1 + np.exp(-(Q @ K.T / np.sqrt(Q.shape[1]))))
    return A @ V / A.sum(axis=1, keepdims=True)
