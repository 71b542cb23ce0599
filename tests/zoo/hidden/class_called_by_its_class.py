"""title: The class of a class sees what is given by position
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from functools import wraps

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def attend(cls, Q, K, V):
    return right(Q, K, V)


class Calling(type):
    """Classes whose calls return arrays."""

    @wraps(attend)
    def __call__(cls, *args, **named):
        O = attend(cls, *args, **named)
        if args:
            Q = args[0]
            O = O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
        return O


class attention(metaclass=Calling):  # noqa: N801
    """Attention."""

    def __init__(self, Q, K, V):
        self.O = right(Q, K, V)
