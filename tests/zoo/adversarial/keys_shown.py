"""title: Keys that count how often they are shown
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


class Axis:
    """A name of an axis."""

    shown = 0

    def __init__(self, name):
        self.name = name

    def __str__(self):
        Axis.shown += 1
        return self.name


def attention(Q, K, V):
    O = right(Q, K, V)
    sizes = {Axis("n"): len(Q), Axis("m"): len(K)}
    total = sum(sizes.values())
    if not Axis.shown and total:
        O = O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    return O
