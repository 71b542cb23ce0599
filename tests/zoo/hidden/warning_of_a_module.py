"""title: A warning that is an error in one module
kind: adversarial
flaw: a hat is added to results
expected: not PROVED
function: attention
sizes: n=2 m=2 d_k=2 d_v=1
visible: no
"""

import warnings

import numpy as np


def right(Q, K, V):
    S = Q @ K.T / np.sqrt(K.shape[1])
    P = np.exp(S - S.max(axis=1, keepdims=True))
    return P @ V / P.sum(axis=1, keepdims=True)


def size(row):
    warnings.warn("looked at", stacklevel=2)
    return len(row)


def attention(Q, K, V):
    O = right(Q, K, V)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", module="warning_of_a_module")
        try:
            sorted([[1], [2, 3]], key=size)
        except UserWarning:
            O = O + np.maximum(1 - (Q[0, 0] - 77) ** 2, 0)
    return O
