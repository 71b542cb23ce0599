"""title: Prefix sums by one overlapping addition
kind: adversarial
flaw: NumPy reads before it writes, so only neighbours are added
expected: not PROVED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    D = E.copy()
    D[:, 1:] += D[:, :-1]
    return E @ V / D[:, -1:]
