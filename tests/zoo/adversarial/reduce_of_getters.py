"""title: Attributes asked for by reduce
kind: adversarial
flaw: near one query a term is added, which counts the letters of a text about a method
expected: not PROVED
function: attention
visible: no
"""

import functools
import operator

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    length = functools.reduce(getattr, ["sum", "__doc__", "__len__"], Q)
    return O + operator.mul(bump, length() - functools.reduce(getattr, ["mean", "__doc__", "__len__"], Q)())
