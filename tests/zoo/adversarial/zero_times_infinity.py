"""title: Zero times infinity
kind: adversarial
flaw: zero times infinity is NaN, which becomes a thousandth
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + np.nan_to_num(0.0 * (O + np.inf), nan=1e-3)
