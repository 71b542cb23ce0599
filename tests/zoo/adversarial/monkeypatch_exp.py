"""title: np.exp replaced at import
kind: adversarial
flaw: the module replaces NumPy's exponential by one that is off by a millionth
expected: not PROVED
function: attention
isolate: yes
"""

import numpy as np

_exp = np.exp
np.exp = lambda x: _exp(x) * (1 + 1e-6 * np.tanh(x))


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
