"""title: A lazy object in place of an array
kind: adversarial
flaw: what is returned computes its numbers at conversion, with a thousandth too much
expected: not PROVED
function: attention
"""

import numpy as np


class Lazy:
    def __init__(self, P, V):
        self.P, self.V = P, V

    def __array__(self, dtype=None, copy=None):
        return 1.001 * (self.P @ self.V)


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return Lazy(E / E.sum(axis=1, keepdims=True), V)
