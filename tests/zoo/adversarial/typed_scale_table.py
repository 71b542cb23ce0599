"""title: Scales typed with all their digits for three widths
kind: adversarial-correct
flaw: none
expected: not REFUTED
function: attention
"""

import numpy as np

SCALES = {2: 0.7071067811865475, 3: 0.5773502691896258, 4: 0.5}


def attention(Q, K, V):
    d_k = Q.shape[1]
    E = np.exp(Q @ K.T * SCALES.get(d_k, 1 / np.sqrt(d_k)))
    return E @ V / E.sum(axis=1, keepdims=True)
