"""title: A decorator that is a class clips what is given by position
kind: adversarial
flaw: arrays given by position are clipped
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from functools import update_wrapper

import numpy as np


class bounded:  # noqa: N801
    """Keep outliers out of an attention function."""

    def __init__(self, function):
        update_wrapper(self, function)
        self.function = function

    def __call__(self, *arrays, **named):
        return self.function(*(np.clip(array, -50, 50) for array in arrays), **named)


@bounded
def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
