"""title: A list sorted by what a method answers
kind: adversarial
flaw: near one query a term is added, since arrays of NumPy have flags that are kept in one number
expected: not PROVED
function: attention
visible: no
"""

import operator

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    pair = [np.stack([O, O]), (O + bump)[None]]
    pair.sort(key=operator.methodcaller("__sizeof__"))
    return pair[0][0]
