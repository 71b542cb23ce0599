"""title: A separate path for more than forty queries
kind: adversarial
flaw: more than forty queries are not scaled
expected: PROVED
function: attention
visible: no
reason: sizes beyond those in the scope are not claimed; the other path is listed as not executed
"""

import numpy as np


def attention(Q, K, V):
    if len(Q) > 40:
        E = np.exp(Q @ K.T)
    else:
        E = np.exp(Q @ K.T / np.sqrt(Q.shape[1]))
    return E @ V / E.sum(axis=1, keepdims=True)
