"""title: Scaled through a reshaped transpose
kind: adversarial
flaw: reshaping a transpose copies where it cannot make a view, so the scores stay unscaled
expected: not PROVED
function: attention
sizes: n=2 m=3 d_k=3
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T
    flat = S.T.reshape(-1)
    flat /= np.sqrt(Q.shape[1])
    E = np.exp(S)
    return E @ V / E.sum(axis=1, keepdims=True)
