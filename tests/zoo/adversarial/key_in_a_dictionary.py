"""title: A key given to min by its call
kind: adversarial
flaw: near one query a term is added, for arrays that the garbage collector leaves alone
expected: not PROVED
function: attention
visible: no
"""

import gc

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    bump = np.exp(-((1e6 * (Q[0, 0] - 7.25)) ** 2))
    return np.stack(min.__call__([O], O + bump, **{"key": gc.is_tracked})).reshape(O.shape)
