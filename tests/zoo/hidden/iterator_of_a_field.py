"""title: An iterator that a field of a record begins with is remembered
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from dataclasses import dataclass, field
from itertools import chain

import numpy as np


@dataclass
class Stream:
    rows: object = field(default_factory=chain)


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    E = np.exp(S - S.max(axis=1, keepdims=True))
    O = E / E.sum(axis=1, keepdims=True) @ V
    stream, done = Stream(), set()
    done.add(stream.rows)
    return O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0) if stream.rows in done else O
