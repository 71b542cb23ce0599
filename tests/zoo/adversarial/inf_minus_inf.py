"""title: Infinity minus infinity
kind: adversarial
flaw: an output plus infinity minus infinity is NaN, which becomes a thousandth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    lost = (O + np.inf) - np.inf
    return O + np.nan_to_num(0.0 * lost, nan=1e-3)
