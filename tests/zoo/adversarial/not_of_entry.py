"""title: Truth value of a sum of squares
kind: adversarial
flaw: wrong where some query is not zero
expected: not PROVED
function: attention
"""

# ruff: noqa: SIM208 - the double negation is the flaw

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O * 1.001 if not (not (Q * Q).sum()) else O
