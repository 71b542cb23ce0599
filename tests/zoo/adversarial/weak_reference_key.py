"""title: What can be referred to weakly
kind: adversarial
flaw: near one query a term is added, where a number of NumPy cannot be referred to
expected: not PROVED
function: attention
visible: no
"""

import weakref

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    terms = [bump]
    try: terms.append(0.0 * weakref.ref(Q[0, 0])())  # noqa: E701 # fmt: skip
    except TypeError: terms = [*terms, 0.0]  # noqa: E701 # fmt: skip
    return O + terms[0] * (2 - len(terms)) + 0.0 * terms[1]
