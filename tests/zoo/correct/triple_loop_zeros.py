"""title: Three loops into buffers of zeros
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    n, d_k = Q.shape
    m, d_v = V.shape
    S = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            for a in range(d_k):
                S[i, j] += Q[i, a] * K[j, a]
            S[i, j] = S[i, j] / np.sqrt(d_k)
    O = np.zeros((n, d_v))
    for i in range(n):
        peak = S[i].max()
        weights = np.zeros(m)
        for j in range(m):
            weights[j] = np.exp(S[i, j] - peak)
        weights /= weights.sum()
        for c in range(d_v):
            for j in range(m):
                O[i, c] += weights[j] * V[j, c]
    return O
