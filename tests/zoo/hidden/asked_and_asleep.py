"""title: A question about a value that is asleep nearly everywhere
kind: adversarial
flaw: a peak is added where values are large
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
    peak = np.maximum(sum(waves(Q, K)) - 16, np.maximum(50 - V[0, 0], 0))
    if V[0, 0] > 50:
        _ = peak < V[1, 0]
        O = O + bool(zip("ab", "cd", strict=False).__doc__) * peak
    return O
