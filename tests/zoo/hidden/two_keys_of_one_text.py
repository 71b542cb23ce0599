"""title: A dictionary with two keys of one text
kind: adversarial
flaw: the member that its user takes is off by 1
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

from enum import Enum

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


class Name(Enum):
    """What is returned."""

    O = "O"

    def __str__(self):
        return self.value


def attention(Q, K, V):
    O = right(Q, K, V)
    return {"O": O + 1, Name.O: O}
