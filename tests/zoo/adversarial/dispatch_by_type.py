"""title: functools.singledispatch
kind: adversarial
flaw: the implementation registered for plain arrays scales by one thousandth too much
expected: not PROVED
function: attention
"""

from functools import singledispatch

import numpy as np


@singledispatch
def finish(O):
    return O


@finish.register(np.ndarray)
def _(O):
    return np.multiply(O, 1.001)


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return finish(E @ V / E.sum(axis=1, keepdims=True))
