"""title: A float32 number written out as a float64 literal
kind: adversarial
flaw: 0.5773502588272095 is the float32 nearest to the scale, not the scale
expected: not PROVED
function: attention
sizes: d_k=3
"""

import numpy as np


def attention(Q, K, V):
    E = np.exp(Q @ K.T * 0.5773502588272095)
    return E @ V / E.sum(axis=1, keepdims=True)
