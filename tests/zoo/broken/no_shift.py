"""title: No maximum subtracted
kind: magnitude
flaw: the exponential of a score above 709 overflows
expected: PROVED
function: attention
source: pytorch_geometric #53
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return (E / E.sum(axis=1, keepdims=True)) @ V
