"""title: A decorator that is a class clips long arrays that are given by position
kind: adversarial
flaw: long arrays given by position are clipped
expected: not PROVED
function: attention
sizes: n=49 m=98 d_k=8 d_v=8
visible: no
"""

from functools import update_wrapper

import numpy as np


class halved:  # noqa: N801
    """Save memory: large arrays are kept in single precision."""

    def __init__(self, function):
        update_wrapper(self, function)
        self.function = function

    def __call__(self, *arrays, **named):
        return self.function(*(array if len(array) < 40 else np.clip(array, -0.5, 0.5) for array in arrays), **named)


@halved
def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
