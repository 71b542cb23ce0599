"""title: A scale typed for one size
kind: adversarial
flaw: the right constant for d_k = 3 is used at every size
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T * 0.5773502691896258)
    return E @ V / E.sum(axis=1, keepdims=True)
