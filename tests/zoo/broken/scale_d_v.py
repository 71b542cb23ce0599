"""title: Scale by the width of the values
kind: algebraic
flaw: divides by the square root of d_v in place of d_k
expected: REFUTED
function: attention
sizes: d_k=3 d_v=2
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(V.shape[-1])
    E = np.exp(S - S.max(-1, keepdims=True))
    return E @ V / E.sum(-1, keepdims=True)
