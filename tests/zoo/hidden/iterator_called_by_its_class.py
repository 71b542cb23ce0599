"""title: An iterator is advanced by a method of its class
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from contextlib import suppress

import numpy as np


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    rows = zip(range(len(Q)), Q, strict=False)
    with suppress(TypeError):
        O = O + (zip.__next__(rows)[0] == 0) * np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    return O
