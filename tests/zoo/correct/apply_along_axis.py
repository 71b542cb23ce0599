"""title: A one-row softmax applied along an axis
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def softmax_row(s):
    e = np.exp(s - s.max())
    return e / e.sum()


def attention(Q, K, V):
    return np.apply_along_axis(softmax_row, 1, Q @ K.T / np.sqrt(Q.shape[1])) @ V
