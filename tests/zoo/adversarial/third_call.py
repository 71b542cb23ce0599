"""title: Wrong from the third call on
kind: adversarial
flaw: a counter in a module-level list decides
expected: not PROVED
function: attention
"""

import numpy as np

_calls = []


def attention(Q, K, V):
    _calls.append(None)
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True) * (1.0 if len(_calls) < 3 else 1.001)
