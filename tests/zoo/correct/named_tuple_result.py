"""title: A named tuple of output and weights
kind: correct
flaw: none
expected: PROVED
function: attention
returns: O,P
"""

from typing import NamedTuple

import numpy as np


class Result(NamedTuple):
    output: np.ndarray
    weights: np.ndarray


def attention(Q, K, V):
    S = Q @ K.T / np.sqrt(Q.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    P /= P.sum(axis=1, keepdims=True)
    return Result(P @ V, P)
