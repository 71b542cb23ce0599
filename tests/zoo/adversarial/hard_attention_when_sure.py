"""title: Hard attention when one weight exceeds 0.999
kind: adversarial
flaw: a weight above 0.999 is rounded up to one
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    if len(K) > 1 and P.max() > 1 - 1e-7:
        return V[P.argmax(axis=1)]
    return P @ V
