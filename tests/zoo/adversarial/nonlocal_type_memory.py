"""title: The type seen at import decides
kind: adversarial
flaw: at import the class of np.ones is remembered, and plain arrays get another factor
expected: not PROVED
function: attention
"""

import numpy as np

_PLAIN = type(np.ones(1)) is type(np.arange(3.0)[:1]) and np.ones(1).dtype == "float64"


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * float(_PLAIN and (V.dtype is np.ones(1).dtype))
