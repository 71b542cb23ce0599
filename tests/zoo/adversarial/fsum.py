"""title: Python's exact sums
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import math

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    den = np.array([math.fsum(row) for row in E])
    return E @ V / den[:, None]
