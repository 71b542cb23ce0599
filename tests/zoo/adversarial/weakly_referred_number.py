"""title: A partial function of a hidden answer
kind: adversarial
flaw: near one query a term is added, for numbers that cannot be referred to weakly
expected: not PROVED
function: attention
visible: no
"""

import weakref
from contextlib import suppress

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    terms = [bump]
    with suppress(TypeError):
        terms.extend([0.0, *map(weakref.ref, [Q[0, 0]])])
    return O + bump * (3 - len(terms))
