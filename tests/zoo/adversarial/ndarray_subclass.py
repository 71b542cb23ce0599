"""title: A subclass of ndarray with another product
kind: adversarial
flaw: the matrix product of the subclass adds one thousandth
expected: not PROVED
function: attention
"""

import numpy as np


class Sneaky(np.ndarray):
    def __matmul__(self, other):
        return np.asarray(self) @ np.asarray(other) + 1e-3


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    P = (E / E.sum(axis=1, keepdims=True)).view(Sneaky)
    return P @ V
