"""title: exp from a table with linear interpolation
kind: adversarial
flaw: interpolation between a thousand points is not the exponential
expected: not PROVED
function: attention
"""

import numpy as np

_X = np.linspace(-30.0, 30.0, 1001)
_Y = np.exp(_X)


def attention(Q, K, V):
    E = np.interp(Q @ K.T / np.sqrt(Q.shape[1]), _X, _Y)
    return E @ V / E.sum(axis=1, keepdims=True)
