"""title: Online softmax under a mask, first keys of a row may be hidden: isinf guards the subtraction
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3 d_k=2 d_v=2
spec: mask=boolean empty_row=zero
"""

import numpy as np


def attention(Q, K, V, mask):
    n = len(Q)
    peak, norm, acc = np.full(n, -np.inf), np.zeros(n), np.zeros((n, V.shape[1]))
    for j in range(len(K)):
        s = np.where(mask[:, j], Q @ K[j] / np.sqrt(Q.shape[1]), -np.inf)
        new = np.maximum(peak, s)
        safe = np.where(np.isinf(new), 0.0, new)
        shrink, weight = np.exp(peak - safe), np.exp(s - safe)
        norm = norm * shrink + weight
        acc = acc * shrink[:, None] + weight[:, None] * V[j]
        peak = new
    norm[norm == 0.0] = 1.0
    return acc / norm[:, None]
