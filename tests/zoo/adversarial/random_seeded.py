"""title: Noise with a fixed seed
kind: adversarial
flaw: the same small noise is added at every call
expected: not PROVED
function: attention
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    O = E @ V / E.sum(axis=1, keepdims=True)
    return O + 1e-3 * np.random.default_rng(0).standard_normal(O.shape)
