"""title: A sequence of layers that is called, and gone through by reduce
kind: correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
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
    return x / np.sqrt(x.shape[1])


def attention(Q, K, V):
    Q = Sequential(scaled)(Q)
    S = Q @ K.T
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)
