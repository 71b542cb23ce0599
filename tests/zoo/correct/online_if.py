"""title: Online softmax that rescales only when a larger score arrives
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=3
"""

import numpy as np


def attention(Q, K, V):
    O = np.zeros((Q.shape[0], V.shape[1]))
    for i, q in enumerate(Q):
        scores = K @ q / np.sqrt(q.shape[0])
        peak = scores[0]
        norm = 1.0
        acc = V[0].copy()
        for j in range(1, len(K)):
            if scores[j] > peak:
                factor = np.exp(peak - scores[j])
                norm = norm * factor + 1.0
                acc = acc * factor + V[j]
                peak = scores[j]
            else:
                w = np.exp(scores[j] - peak)
                norm += w
                acc += w * V[j]
        O[i] = acc / norm
    return O
