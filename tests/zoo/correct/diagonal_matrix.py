"""title: Normalised by a diagonal matrix
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    A = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    D_inv = np.diag(1.0 / (A @ np.ones(len(K))))
    return D_inv @ A @ V
