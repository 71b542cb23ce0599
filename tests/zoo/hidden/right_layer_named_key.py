"""title: Layers in a dictionary that is copied
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

from copy import deepcopy

import numpy as np


class Linear:
    def __init__(self, size):
        self.matrix = np.eye(size)

    def __call__(self, x):
        return x @ self.matrix


def attention(Q, K, V):
    layers = deepcopy(dict(query=Linear(Q.shape[1]), key=Linear(K.shape[1])))  # noqa: C408
    S = layers["query"](Q) @ layers["key"](K).T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
