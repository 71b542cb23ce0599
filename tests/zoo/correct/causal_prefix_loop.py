"""title: Causal, lower right: each query attends to a slice of the first keys
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right
sizes: n=2 m=4
"""

import numpy as np
from scipy.special import softmax


def attention(Q, K, V):
    n, m = len(Q), len(K)
    out = np.zeros((n, V.shape[1]))
    for i in range(n):
        seen = i + m - n + 1
        out[i] = softmax(K[:seen] @ Q[i] / np.sqrt(Q.shape[1])) @ V[:seen]
    return out
