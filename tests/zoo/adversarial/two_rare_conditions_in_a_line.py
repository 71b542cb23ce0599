"""title: A part of a line that two rare conditions guard
kind: adversarial
flaw: near one point a term is added for objects as large as arrays are
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    near = abs(Q[0, 0] - 7.25) < 1e-9 and abs(K[0, 0] - 3.5) < 1e-9
    return O + (1.0 * (Q.__class__.__basicsize__ > 70) if near else 0.0)
