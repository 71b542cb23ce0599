"""title: The first batch for all
kind: algebraic
flaw: keys and values of the first batch serve every batch
expected: REFUTED
function: attention
layout: bnd
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K[0].T / np.sqrt(Q.shape[-1]))
    return E @ V[0] / E.sum(axis=-1, keepdims=True)
