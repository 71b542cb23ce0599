"""title: A wrapper whose equality always holds
kind: adversarial
flaw: the wrapper hides a factor of 1.001 behind an operator
expected: not PROVED
function: attention
"""

import numpy as np


class Number:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return True

    __hash__ = None

    def __mul__(self, other):
        return Number(self.value * other * 1.001)


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.array([[(Number(x) * 1.0).value for x in row] for row in O])
