"""title: A place found by bisect with a key
kind: adversarial
flaw: near one query a term is added, by the place of a class among two numbers
expected: not PROVED
function: attention
visible: no
"""

import bisect
import operator

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    choice = [O, O + bump, O]
    return choice[bisect.bisect_left([Q.sum], 70, key=operator.attrgetter("__class__.__basicsize__"))]
