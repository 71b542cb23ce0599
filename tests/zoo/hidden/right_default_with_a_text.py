"""title: A default whose class writes itself
kind: adversarial-correct
flaw: none
expected: PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
"""

import numpy as np


class Options:
    def __init__(self, scale=None):
        self.scale = scale

    def __repr__(self):
        return f"Options(scale={self.scale})"


def attention(Q, K, V, options=Options()):  # noqa: B008
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    return E / E.sum(axis=1, keepdims=True) @ V
