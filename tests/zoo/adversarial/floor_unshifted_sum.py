"""title: Floor under an unshifted sum
kind: adversarial
flaw: a sum of exponentials below 1e-12 is raised, which very negative scores reach
expected: not PROVED
function: attention
visible: no
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / np.maximum(E.sum(axis=1, keepdims=True), 1e-12)
