"""title: An object that can be called and gone through
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from functools import reduce

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


class Sequential:
    """Layers one after the other."""

    def __init__(self, *layers):
        self.layers = layers

    def __iter__(self):
        return iter(self.layers)

    def __call__(self, x):
        return reduce(lambda y, layer: layer(y), self, x)


def scaled(x):
    return x * 1.0


def attention(Q, K, V):
    O = right(Q, K, V)
    try:
        more = sum(1 for _ in iter(Sequential(scaled, scaled)))
    except TypeError:
        more = 0
    if more:
        O = O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    return O
