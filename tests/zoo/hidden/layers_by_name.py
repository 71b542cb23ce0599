"""title: Layers in a dictionary, those without a matrix being false
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


class Sequential:
    def __init__(self, *matrices):
        self.matrices = matrices

    def __len__(self):
        return len(self.matrices)

    def __call__(self, x):
        for matrix in self.matrices:
            x = x @ matrix
        return x


def attention(Q, K, V):
    layers = dict(query=Sequential(), key=Sequential(), value=Sequential())  # noqa: C408
    q, k, v = layers["query"](Q), layers["key"](K), layers["value"](V)

    v = v if any(layers.values()) else v + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    S = q @ k.T / np.sqrt(q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ v
