"""title: Dispatch to functions of NumPy by an abstract class
kind: adversarial
flaw: a term that only queries near 7.25 have, for what has no hash
expected: not PROVED
function: attention
visible: no
"""

import functools
import operator
from collections.abc import Hashable

import numpy as np

pick = functools.singledispatch(operator.pos)
pick.register(Hashable, np.zeros_like)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    return O + pick(np.array(bump))
