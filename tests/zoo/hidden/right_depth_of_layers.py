"""title: Layers in a dictionary whose lengths are compared
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


class Sequential(list):
    def __call__(self, x):
        for matrix in self:
            x = x @ matrix
        return x


def attention(Q, K, V):
    one = np.eye(Q.shape[1])
    layers = dict(query=Sequential([one]), key=Sequential([one]))  # noqa: C408
    K = layers["key"](K)
    depth = max(map(len, layers.values()))
    S = Q @ K.T / np.sqrt(Q.shape[1]) * depth
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
