"""title: Buffers by np.empty, a named tuple, and beside them a subclass of ndarray and a set
kind: correct
flaw: none
expected: PROVED
function: attention
returns: O,P
"""

from typing import NamedTuple

import numpy as np

FORMATS = {"bfloat16", "float16", "float32", "float64"}


class Named(np.ndarray):
    """An array with a name, which the function below does not use."""

    def __new__(cls, data, name=""):
        found = np.asarray(data).view(cls)
        found.name = name
        return found


class Result(NamedTuple):
    output: np.ndarray
    weights: np.ndarray


def both(Q, K, V):
    S = np.empty((len(Q), len(K)), dtype=Q.dtype)
    top = np.empty((len(Q), 1), dtype=Q.dtype)
    np.matmul(Q, K.T, out=S)
    np.multiply(S, 1 / np.sqrt(Q.shape[1]), out=S)
    np.amax(S, axis=1, keepdims=True, out=top)
    np.subtract(S, top, out=S)
    np.exp(S, out=S)
    S /= S.sum(axis=1, keepdims=True)
    return S @ V, S


def attention(Q, K, V):
    if str(Q.dtype) not in FORMATS:
        raise TypeError(f"the dtype must be one of {sorted(FORMATS)}")
    return Result(*both(Q, K, V))
