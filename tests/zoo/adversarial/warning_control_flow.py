"""title: A warning as control flow
kind: adversarial
flaw: the overflow warning of floats decides the answer
expected: not PROVED
function: attention
"""

import warnings

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            np.exp(1e6 * (Q * Q).sum() + 1e6)
        except RuntimeWarning:
            return O * 1.001
    return O
