"""title: Right at the first call, a generator supplies the factor
kind: adversarial
flaw: later calls draw other factors from a generator at module level
expected: not PROVED
function: attention
"""

import itertools

import numpy as np

_factors = itertools.chain([1.0], itertools.repeat(1.001))


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return next(_factors) * (E @ V) / E.sum(axis=1, keepdims=True)
