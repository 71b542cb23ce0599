"""title: Causal multi-head self-attention with a stacked array of weights
kind: correct
flaw: none
expected: PROVED
function: causal_multihead
weights: stacked
spec: causal=lower_right
"""

import numpy as np
from scipy import special


def causal_multihead(X, W_Q, W_K, W_V, W_O):
    n = len(X)
    future = ~np.tri(n, dtype=bool)
    outs = []
    for h in range(W_Q.shape[0]):
        S = (X @ W_Q[h]) @ (X @ W_K[h]).T / np.sqrt(W_Q.shape[2])
        np.putmask(S, future, -np.inf)
        outs.append(special.softmax(S, axis=1) @ X @ W_V[h])
    return np.concatenate(outs, axis=1) @ W_O
