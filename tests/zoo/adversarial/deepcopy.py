"""title: Deep copies
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import copy

import numpy as np


def attention(Q, K, V):
    Q, K, V = copy.deepcopy((Q, K, V))
    E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
