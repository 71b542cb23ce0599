"""title: A return in finally
kind: adversarial
flaw: the right answer is returned only where the wrong one raised
expected: not PROVED
function: attention
"""

import math

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    answer = O
    try:
        answer = np.array([[math.nextafter(x, 9.0) + 1e-3 for x in row] for row in O])
    finally:
        return answer  # noqa: B012 - the flaw
