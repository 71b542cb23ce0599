"""title: Three loops over Python lists
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
fails: range
"""

import math

import numpy as np


def attention(Q, K, V):
    n, m, d_k, d_v = len(Q), len(K), len(Q[0]), len(V[0])
    out = []
    for i in range(n):
        scores = []
        for j in range(m):
            total = 0.0
            for a in range(d_k):
                total += Q[i][a] * K[j][a]
            scores.append(total / math.sqrt(d_k))
        exps = [np.exp(s) for s in scores]
        norm = sum(exps)
        out.append([sum(exps[j] * V[j][c] for j in range(m)) / norm for c in range(d_v)])
    return np.array(out)
