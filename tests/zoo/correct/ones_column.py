"""title: A column of ones beside the values carries the denominator
kind: correct
flaw: none
expected: PROVED
function: attention
fails: range
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    extended = np.hstack([V, np.ones((len(V), 1))])
    R = E @ extended
    return R[:, :-1] / R[:, -1:]
