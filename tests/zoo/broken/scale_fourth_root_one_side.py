"""title: Fourth root on one operand only
kind: algebraic
flaw: d_k to the power of −1/4 multiplies the queries but not the keys
expected: REFUTED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    S = (Q * Q.shape[1] ** -0.25) @ K.T
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E @ V / E.sum(axis=1, keepdims=True)
