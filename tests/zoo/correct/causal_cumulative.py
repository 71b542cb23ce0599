"""title: Causal with a scan: the state after key i answers query i
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
fails: range
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    num = np.cumsum(E[:, :, None] * V[None], axis=1)
    den = np.cumsum(E, axis=1)
    i = np.arange(len(Q))
    return num[i, i] / den[i, i][:, None]
