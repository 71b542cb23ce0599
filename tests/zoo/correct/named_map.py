"""title: A map that has a name
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


def attention(Q, K, V):
    c = 1 / np.sqrt(K.shape[1])
    rows = (np.exp(K @ q * c) for q in Q)
    out = []
    for row in rows:
        out.append(row @ V / row.sum())
    return np.stack(out)
