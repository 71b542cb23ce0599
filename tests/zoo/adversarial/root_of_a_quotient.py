"""title: A root of a quotient, equal to another where a query is positive
kind: adversarial
flaw: for positive queries, that is for one half of them, the equation holds but for rounding, and the result is scaled
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    x, y = Q[0, 0] / 3, K[0, 0] / 7
    left = x * np.sqrt(1 + 1 / (x * x)) * 3.1 + y * np.sqrt(1 + 1 / (y * y)) * 1.7
    right = np.sqrt(x * x + 1) * 3.1 + np.sqrt(1 + y * y) * 1.7
    return O * 1.001 if left * 1.3 + x / 11 == right * 1.3 + x / 11 else O
