"""title: Outputs printed with %g and read back
kind: adversarial
flaw: outputs keep six digits
expected: not PROVED
function: attention
"""

# ruff: noqa: UP031 - the formatting is the flaw

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return np.array([[float("%g" % x) for x in row] for row in O])
