"""title: Each weight as one over a sum of exponentials of differences
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    differences = S[:, None, :] - S[:, :, None]
    P = 1.0 / np.exp(differences).sum(axis=2)
    return P @ V
