"""title: Entries wrapped as np.float64 one by one
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    n, m, d = len(Q), len(K), Q.shape[1]
    S = [[sum(np.float64(Q[i, a]) * K[j, a] for a in range(d)) / np.sqrt(d) for j in range(m)] for i in range(n)]
    E = np.exp(np.array(S))
    return E @ V / E.sum(axis=1, keepdims=True)
