"""title: Output rescaled, sum not
kind: algebraic
flaw: the running denominator misses the factor of a new maximum
expected: REFUTED
function: attention
sizes: m=4
"""

import numpy as np


def attention(Q, K, V):
    out = []
    for q in Q:
        peak, norm, acc = -np.inf, 0.0, 0.0
        for k, v in zip(K, V, strict=True):
            s = q @ k / np.sqrt(len(q))
            new = np.maximum(peak, s)
            norm = norm + np.exp(s - new)
            acc = acc * np.exp(peak - new) + np.exp(s - new) * v
            peak = new
        out.append(acc / norm)
    return np.stack(out)
