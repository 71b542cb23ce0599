"""title: Repeated indices with +=
kind: adversarial
flaw: of several additions to one place only the last counts
expected: not PROVED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    rows = np.repeat(np.arange(len(Q)), len(K))
    den = np.zeros(len(Q))
    den[rows] += E.ravel()
    return E @ V / den[:, None]
