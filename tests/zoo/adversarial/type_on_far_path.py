"""title: A type that is asked for on another path
kind: adversarial
flaw: large scores are doubled where a scalar has NumPy's own type
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    top = S.max()
    if top > 50 and type(top) is np.float64:
        S = S + S
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
