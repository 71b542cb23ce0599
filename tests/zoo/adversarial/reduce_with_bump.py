"""title: A product that starmap makes of hidden answers
kind: adversarial
flaw: near one query a term is added for arrays that can be referred to weakly at another place
expected: not PROVED
function: attention
visible: no
"""

import itertools
import operator

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    asked = operator.attrgetter("__class__.__weakrefoffset__", "__class__.__basicsize__", "__class__.__flags__")
    return O + bump * (sum(map(hash, itertools.chain.from_iterable(map(asked, [Q])))) % 1000)
