"""title: The formula in a string
kind: adversarial
flaw: the evaluated text holds a scale with six digits
expected: not PROVED
function: attention
sizes: d_k=3
"""

import numpy as np  # noqa: F401 - the text uses it


def attention(Q, K, V):
    E = eval("np.exp(Q @ K.T * 0.577350)")
    return E @ V / E.sum(axis=1, keepdims=True)
