"""title: Tests of constants that hold in floats
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    assert np.exp(0.0) == 1.0
    assert np.isneginf(-np.inf)
    assert np.finfo(float).eps < 1e-15
    with np.errstate(divide="ignore"):
        assert np.log(0.0) == -np.inf
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
