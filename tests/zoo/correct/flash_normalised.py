"""title: Blocks merged while the output stays normalised after every block
kind: correct
flaw: none
expected: PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V, block=2):
    n, m = Q.shape[0], K.shape[0]
    S = Q @ K.T / np.sqrt(Q.shape[1])
    peak = np.full(n, -np.inf)
    norm = np.zeros(n)
    O = np.zeros((n, V.shape[1]))
    for j in range(0, m, block):
        s = S[:, j : j + block]
        new_peak = np.maximum(peak, s.max(axis=1))
        p = np.exp(s - new_peak[:, None])
        kept = norm * np.exp(peak - new_peak)
        new_norm = kept + p.sum(axis=1)
        O = (kept[:, None] * O + p @ V[j : j + block]) / new_norm[:, None]
        peak, norm = new_peak, new_norm
    return O
