"""title: Underflow as control flow
kind: adversarial
flaw: scores that underflow are doubled
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])

    with np.errstate(all="raise"):
        try:
            np.exp(S - S.max() * 3)
        except FloatingPointError:
            S = S * 2
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P / P.sum(axis=1, keepdims=True) @ V
