"""title: A function out of a table, indexed by two rare truths
kind: adversarial
flaw: where two entries lie near two numbers, scores are cut off for arrays of NumPy's own kind
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
    first, second = abs(Q[0, 0] - 7.25) < 1e-9, abs(K[0, 0] * V[0, 0] - 3.5) < 1e-7
    asked = (operator.attrgetter("ndim"), operator.attrgetter("T.flags.num"))[int(first) * int(second)]
    return O + 0.0 * (asked(Q) == 2)
