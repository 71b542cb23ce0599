"""title: Odd state dropped in a tree
kind: algebraic
flaw: with an odd number of partial states the last is lost
expected: REFUTED
function: attention
sizes: m=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    states = [(np.exp(S[:, j : j + 1]), np.exp(S[:, j : j + 1]) * V[j]) for j in range(len(K))]
    while len(states) > 1:
        states = [(a[0] + b[0], a[1] + b[1]) for a, b in zip(states[::2], states[1::2])]  # noqa: B905 - the flaw
    den, num = states[0]
    return num / den
