"""title: All running maxima at once by maximum.accumulate
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    running = np.maximum.accumulate(S, axis=1)
    final = running[:, -1:]
    E = np.exp(S - running) * np.exp(running - final)
    return E @ V / np.add.reduce(E, axis=1, keepdims=True)
