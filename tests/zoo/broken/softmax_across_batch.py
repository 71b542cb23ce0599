"""title: Softmax over the batch axis
kind: algebraic
flaw: axis 1 of four axes is normalised, which is the heads
expected: REFUTED
function: attention
layout: bhnd
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.swapaxes(2, 3) / np.sqrt(Q.shape[3]))
    return E / E.sum(axis=1, keepdims=True) @ V
