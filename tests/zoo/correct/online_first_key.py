"""title: Online softmax that starts from the first key, no infinity anywhere
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    c = 1.0 / np.sqrt(Q.shape[1])
    top = c * Q @ K[0]
    den = np.ones_like(top)
    num = np.broadcast_to(V[0], (len(Q), V.shape[1])).copy()
    for j in range(1, len(K)):
        s = c * Q @ K[j]
        top_new = np.where(s > top, s, top)
        old, new = np.exp(top - top_new), np.exp(s - top_new)
        den = den * old + new
        num = num * old[:, np.newaxis] + np.outer(new, V[j])
        top = top_new
    return num / den[:, np.newaxis]
