"""title: Maximum subtracted along the wrong axis
kind: algebraic
flaw: the shift is one of the columns, so it differs within a row and does not cancel
expected: REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=0))
    return E @ V / E.sum(axis=1, keepdims=True)
