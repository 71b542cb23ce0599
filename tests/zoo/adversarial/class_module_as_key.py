"""title: The class of an array as the key of a maximum
kind: adversarial
flaw: a term that only queries near 7.25 have, for arrays of the module numpy
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
    return O + max([0.0, np.array(bump)], key=operator.attrgetter("__class__.__module__"))
