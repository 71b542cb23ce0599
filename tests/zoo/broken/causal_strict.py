"""title: Strict causal mask
kind: algebraic
flaw: a query sees the keys before its own but not its own; the first sees its own
expected: REFUTED
function: attention
spec: causal=lower_right
sizes: n=3 m=3
"""

import numpy as np


def attention(Q, K, V):
    n = len(Q)
    see = np.tril(np.ones((n, n), dtype=bool), k=-1)
    see[0, 0] = True
    E = np.where(see, np.exp(Q @ K.T / np.sqrt(Q.shape[1])), 0.0)
    return E @ V / E.sum(axis=1, keepdims=True)
