"""title: Last key dropped
kind: algebraic
flaw: an index runs to m − 1 in place of m
expected: REFUTED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V):
    num, den = 0.0, 0.0
    for j in range(len(K) - 1):
        e = np.exp(Q @ K[j] / np.sqrt(Q.shape[1]))[:, None]
        num, den = num + e * V[j], den + e
    return num / den
