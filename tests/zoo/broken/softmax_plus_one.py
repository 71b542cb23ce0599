"""title: One extra logit of zero in the denominator
kind: algebraic
flaw: one is added to every sum of exponentials
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / (1 + E.sum(axis=1, keepdims=True))
