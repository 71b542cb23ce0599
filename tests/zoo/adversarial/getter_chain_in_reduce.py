"""title: A chain of functions that reduce calls
kind: adversarial
flaw: near one query a term is added, for arrays that the garbage collector leaves alone
expected: not PROVED
function: attention
visible: no
"""

import functools
import gc
import operator

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    choice = {True: O, False: O + bump}
    return functools.reduce(operator.getitem, map(gc.is_tracked, [Q]), choice)
