"""title: Causal by comparing index ranges
kind: correct
flaw: none
expected: PROVED
function: attention
spec: causal=lower_right
sizes: n=2 m=3
fails: range
"""

import numpy as np


def attention(Q, K, V):
    n, m = len(Q), len(K)
    visible = np.arange(m)[None, :] <= np.arange(n)[:, None] + (m - n)
    E = np.where(visible, np.exp(Q @ K.T / np.sqrt(Q.shape[1])), 0)
    return E @ V / E.sum(-1, keepdims=True)
