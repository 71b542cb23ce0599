"""title: Asks whether a maximum is one of its members
kind: adversarial
flaw: a peak is added where it is
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np
from _waves import waves


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def attention(Q, K, V):
    O = right(Q, K, V)
    peak = sum(waves(Q, K)) - 16
    floor = V[0, 0] ** 2
    top = max(peak, floor)
    if top is peak:
        O = O + 1
    return O
