"""title: Python's sum replaced
kind: adversarial
flaw: the built-in sum is replaced by one that forgets its last term
expected: not PROVED
function: attention
isolate: yes
"""

import builtins

import numpy as np

_sum = builtins.sum
builtins.sum = lambda terms: _sum(list(terms)[:-1]) if len(list(terms)) > 1 else _sum(terms)


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    den = sum(list(E.T))
    return E @ V / den[:, None]
