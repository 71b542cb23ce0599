"""title: Results cached by the identity of the inputs
kind: adversarial
flaw: an array changed in place, or another one at the same address, gets the old result
expected: not PROVED
function: attention
visible: no
"""

import numpy as np

_results = {}


def attention(Q, K, V):
    key = (id(Q), id(K), id(V))
    if key not in _results:
        E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
        _results[key] = (Q, K, V, E @ V / E.sum(axis=1, keepdims=True))
    return _results[key][-1]
